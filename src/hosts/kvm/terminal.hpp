// SPDX-License-Identifier: BSD-2-Clause
//
// The console of a process: standard output and input. A terminal passes every key to the guest but those that end the process (Ctrl-C) or
// stop it, without an echo of its own, and is put back when the process ends.
//
// Threads: the executor.
#pragma once

#include <hosts/kvm/event_port.hpp>

#include <sel4vm/host/services.hpp>

namespace sel4vm::kvm {

/// To standard output, all of them.
void put_bytes(std::span<const u8> bytes);

class Terminal final : public ByteSink {
public:
    explicit Terminal(EventPort &events) : events_(events) {}
    Terminal(const Terminal &) = delete;
    Terminal &operator=(const Terminal &) = delete;
    ~Terminal();

    void put(std::span<const u8> bytes) override { put_bytes(bytes); }
    /// Takes up to `out.size()` bytes; fewer mean that there are no more now.
    [[nodiscard]] usize read(std::span<u8> out);
    /// Of that: whether a person sits at it.
    [[nodiscard]] InputFlow flow() const { return is_raw_ ? InputFlow::typed : InputFlow::held; }
    /// From now on a notification with `badge` announces input.
    void listen(u64 badge);

private:
    EventPort &events_;
    bool at_end_ = false;
    bool is_raw_ = false;
};

} // namespace sel4vm::kvm
