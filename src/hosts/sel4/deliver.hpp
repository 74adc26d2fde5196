// SPDX-License-Identifier: BSD-2-Clause
//
// How an exit is put into the event; inline, for the files that make exits.
#pragma once

#include <hosts/sel4/endpoint_port.hpp>

namespace sel4vm::sel4 {

/// Remembers what completing the exit of `vcpu` takes.
template <class Payload>
[[gnu::always_inline]] inline EndpointPort::Outcome EndpointPort::deliver(Vcpu &vcpu, Vcpu::Pending pending,
                                                                          const Payload &payload, Event &event) {
    vcpu.pending_ = pending;
    answered_ = &vcpu;
    static_cast<EventSource &>(event) = vcpu.exit_source_;
    event.exit = Exit(payload);
    return Outcome::deliver;
}

} // namespace sel4vm::sel4
