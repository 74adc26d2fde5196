// SPDX-License-Identifier: BSD-2-Clause
//
// The environment of the C interface on the KVM host, as vm_host_open() makes it: /dev/kvm, and the objects behind a vka_t. Frames are parts of one
// file in memory, so that several can be seen as one piece.
#pragma once

#include <hosts/kvm/guest_resources.hpp>
#include <hosts/kvm/terminal.hpp>

#include <sel4vm/host.h>

#include <map>
#include <memory>
#include <string>

namespace sel4vm::kvm {

class Environment;

/// What a handle (seL4_CPtr) of this host points to.
struct Object {
    Environment &environment;
    seL4_Word type;
    seL4_Word size_bits;
    u64 badge = 0;        ///< of a signal
    u64 offset = 0;       ///< of a frame, in the file behind all frames
    u8 *window = nullptr; ///< of a frame
};

class Environment {
public:
    Environment();
    Environment(const Environment &) = delete;
    Environment &operator=(const Environment &) = delete;
    ~Environment();

    [[nodiscard]] static Environment &of(const vm_host_t &host) { return *static_cast<Environment *>(host.impl); }
    [[nodiscard]] Shared &shared() { return shared_; }

    [[nodiscard]] Object *make(seL4_Word type, seL4_Word size_bits);
    void free(Object *object);
    /// nullptr for what is no live object of this type.
    [[nodiscard]] Object *find(seL4_CPtr handle, seL4_Word type);
    [[nodiscard]] Object *find_frame(seL4_CPtr handle);
    [[nodiscard]] int frames_file() const { return frames_file_.number(); }
    /// A file of the process, by its path.
    [[nodiscard]] const std::string *file(const std::string &name);

    // -- what was not given back
    void note_made() { ++live_; }
    void note_gone() { --live_; }
    [[nodiscard]] usize live() const { return live_; }

private:
    Shared shared_;
    File frames_file_;
    u64 frames_end_ = 0;
    usize live_ = 0;
    std::map<seL4_CPtr, std::unique_ptr<Object>> objects_;
    std::map<std::string, std::string> files_;
};

} // namespace sel4vm::kvm
