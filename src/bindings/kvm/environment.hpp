// SPDX-License-Identifier: BSD-2-Clause
//
// The environment of the C interface on the KVM host, as vm_host_open() makes it: /dev/kvm, and the objects behind a vka_t.
#pragma once

#include <bindings/process/objects.hpp>
#include <hosts/kvm/guest_resources.hpp>
#include <hosts/kvm/terminal.hpp>

#include <sel4vm/host.h>

#include <map>
#include <string>

namespace sel4vm::kvm {

class Environment final : public process::Objects {
public:
    Environment() = default;
    Environment(const Environment &) = delete;
    Environment &operator=(const Environment &) = delete;
    ~Environment() override { free_all(); }

    [[nodiscard]] static Environment &of(const vm_host_t &host) { return of(host.vka); }
    [[nodiscard]] static Environment &of(const vka_t &vka) { return static_cast<Environment &>(Objects::of(vka)); }
    [[nodiscard]] Shared &shared() { return shared_; }

    void signalled(u64 badge) override { shared_.mailbox.signal(badge); }
    /// A file of the process, by its path.
    [[nodiscard]] const std::string *file(const std::string &name);

    // -- what was not given back
    void note_made() { ++live_; }
    void note_gone() { --live_; }
    [[nodiscard]] usize live() const { return live_; }

private:
    void was_made() override { note_made(); }
    void was_freed() override { note_gone(); }

    Shared shared_;
    usize live_ = 0;
    std::map<std::string, std::string> files_;
};

} // namespace sel4vm::kvm
