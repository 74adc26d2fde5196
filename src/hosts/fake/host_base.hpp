// SPDX-License-Identifier: BSD-2-Clause
//
// One fake machine, as far as no client's language is concerned: memory, time, signals, files, the console; and what a test looks at and sets.
// Every request that a real host could refuse counts, and one chosen request is refused.
#pragma once

#include <hosts/fake/process.hpp>
#include <hosts/fake/services.hpp>

#include <sel4vm/base/allocator.hpp>

#include <atomic>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <utility>

namespace sel4vm::fake {

class HostBase : public Allocator {
public:
    HostBase() = default;
    HostBase(const HostBase &) = delete;
    HostBase &operator=(const HostBase &) = delete;

    // -- Allocator
    [[nodiscard]] void *allocate(usize size_bytes, usize alignment) override;
    void deallocate(void *block, usize size_bytes, usize alignment) override;

    /// From any thread; the executor hears of it at its next event.
    void signal(u64 badge) { signals_.fetch_or(badge); }
    [[nodiscard]] u64 take_signals() { return signals_.exchange(0); }
    /// A message on the endpoint, as another thread would send it.
    void send(u64 badge, u64 message) { messages_.emplace_back(badge, message); }
    [[nodiscard]] std::deque<std::pair<u64, u64>> &messages() { return messages_; }
    void add_file(const std::string &name, std::string bytes) { files_[name] = std::move(bytes); }
    /// Added here, shared by all programs, or the process's.
    [[nodiscard]] const std::string *file(const std::string &name);
    /// file() for who looks elsewhere, too; or a value of errno. say_missing() says it, as file() does.
    [[nodiscard]] Result<const std::string *, int> find_file(const std::string &name);
    void say_missing(const std::string &name, int error) const;

    // -- the shared console
    static void put(std::string_view bytes);
    [[nodiscard]] static usize read(std::span<char> out);
    /// Input on it gives this signal from now on. False when somebody listens already.
    [[nodiscard]] bool listen(u64 badge);
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

protected:
    ~HostBase() = default;

private:
    usize requests_ = 0;
    usize refuse_at_ = 0;
    usize live_ = 0;
    std::atomic<u64> signals_{0};
    u64 console_badge_ = 0; // 0: nobody listens
    std::deque<std::pair<u64, u64>> messages_;
    std::map<std::string, std::string> files_;
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
/// What programs log to: that, and the process.
[[nodiscard]] sel4vm::Log &program_log();

} // namespace sel4vm::fake
