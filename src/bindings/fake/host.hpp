// SPDX-License-Identifier: BSD-2-Clause
//
// The environment of the C interface on the fake host, as vm_host_open() makes it: objects behind a vka_t, signals, files, and
// what a test looks at and sets. Every request that a real host could refuse counts, and one chosen request is refused.
#pragma once

#include <bindings/fake/process.hpp>
#include <hosts/fake/guest_space.hpp>
#include <hosts/fake/services.hpp>

#include <sel4vm/base/allocator.hpp>
#include <sel4vm/host/event.hpp>

#include <sel4vm/host.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sel4vm::fake {

class Host;

/// What a handle (seL4_CPtr) of this host points to.
struct Object {
    Host &host;
    seL4_Word type;
    seL4_Word size_bits;
    u64 badge = 0;        ///< of a signal
    u64 offset = 0;       ///< of a frame, in the file behind all frames
    u8 *window = nullptr; ///< of a frame
};

class Host final : public Allocator {
public:
    Host();
    Host(const Host &) = delete;
    Host &operator=(const Host &) = delete;
    ~Host();

    [[nodiscard]] static Host &of(const vm_host_t &host) { return *static_cast<Host *>(host.impl); }

    // -- Allocator
    [[nodiscard]] void *allocate(usize size_bytes, usize alignment) override;
    void deallocate(void *block, usize size_bytes, usize alignment) override;

    // -- objects
    [[nodiscard]] Object *make(seL4_Word type, seL4_Word size_bits);
    void free(Object *object);
    /// nullptr for what is no live object of this type.
    [[nodiscard]] Object *find(seL4_CPtr handle, seL4_Word type);
    [[nodiscard]] Object *find_frame(seL4_CPtr handle);
    [[nodiscard]] int frames_file() const { return frames_file_; }

    void signal(u64 badge) { signals_ |= badge; }
    [[nodiscard]] u64 take_signals() { return std::exchange(signals_, 0); }
    /// A message on the endpoint, as another thread would send it.
    void send(u64 badge, u64 message) { messages_.emplace_back(badge, message); }
    [[nodiscard]] std::deque<std::pair<u64, u64>> &messages() { return messages_; }
    void add_file(const std::string &name, std::string bytes) { files_[name] = std::move(bytes); }
    /// Added here, shared by all programs, or the process's.
    [[nodiscard]] const std::string *file(const std::string &name);

    /// A device of `pages` pages at a physical address; returns its registers. There for good.
    volatile u8 *add_device(u64 phys, usize pages);
    /// The frame of the page of a device, or seL4_CapNull.
    [[nodiscard]] seL4_CPtr device_frame(u64 phys) const;
    /// Input on the shared console gives this signal; 0: nobody listens.
    u64 console_badge = 0;
    /// Gives it for what was typed into the process; `wait`: until something is. False when nothing will come.
    [[nodiscard]] bool announce_input(Process::Wait wait);

    // -- services
    Clock clock;
    Entropy entropy;

    // -- what a test looks at and sets
    /// The n-th request from now (1 is the next) is refused; 0: none.
    void refuse_at(usize n) { refuse_at_ = n == 0 ? 0 : requests_ + n; }
    [[nodiscard]] bool refuses() { return ++requests_ == refuse_at_; }
    [[nodiscard]] usize requests() const { return requests_; }
    /// Everything that is not given back: memory, objects, VMs, vCPUs, mapped frames.
    [[nodiscard]] usize live() const { return live_; }
    void note_made() { ++live_; }
    void note_gone() { --live_; }

private:
    usize requests_ = 0;
    usize refuse_at_ = 0;
    usize live_ = 0;
    int frames_file_;
    u64 frames_end_ = 0;
    std::map<seL4_CPtr, std::unique_ptr<Object>> objects_;
    u64 signals_ = 0;
    std::deque<std::pair<u64, u64>> messages_;
    std::map<std::string, std::string> files_;
    std::map<u64, seL4_CPtr> devices_; // by page
};

/// What programs find that open a host by themselves, and what they leave: their files, and the one console of the process.
struct Shared {
    std::map<std::string, std::string> files{};
    std::string console_input{};
    std::string console_output{};
};
[[nodiscard]] Shared &shared();

/// Where host_log() and vm_host_log() write.
[[nodiscard]] Log &shared_log();
/// What C programs log to: that, and the process.
[[nodiscard]] sel4vm::Log &program_log();

} // namespace sel4vm::fake
