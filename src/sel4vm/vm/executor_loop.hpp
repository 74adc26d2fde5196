// SPDX-License-Identifier: BSD-2-Clause
//
// The loop of Executor::run_on(), for the files that start it.
#pragma once

#include <sel4vm/vm/dispatch.hpp>
#include <sel4vm/vm/executor.hpp>

namespace sel4vm {

// Part of the loops, because a call of its own would cost a twentieth of an exit.
template <class Port>
[[gnu::always_inline]] inline bool Executor::serve_one(Port &port, Answer &answer) {
    if constexpr (requires { port.resume_here(answer, event_); })
        port.resume_here(answer, event_);
    else
        port.resume_and_wait(answer, event_);
    if (event_.word() != served_source_) [[unlikely]] {
        if (event_.kind != EventKind::idle)
            leave_idle();
        if (event_.kind != EventKind::exit) {
            answer = Answer::none();
            return on_other_event();
        }
        served_vm_ = vms_[event_.vm.value()];
        served_vcpu_ = &served_vm_->vcpu(event_.vcpu);
        served_source_ = event_.word();
    }
    answer = served_vm_->handle_here(*served_vcpu_, event_.exit);
    if (answer.next() != Next::stop) [[likely]]
        return true;
    const Answer last = answer;
    answer = Answer::none();
    return on_stop(last);
}

// A function of its own, and hot: inside of one that is called once the compiler would make it small instead.
template <class Port>
[[gnu::noinline, gnu::hot]] void Executor::run_on(Port &port) {
    Answer answer = answer_;
    while (serve_one(port, answer)) {
    }
    answer_ = answer;
}

} // namespace sel4vm
