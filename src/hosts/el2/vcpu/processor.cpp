// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/vcpu/processor.hpp>

#include <hosts/el2/vcpu/exit_path.hpp>

namespace sel4vm::el2 {

void Processor::resume_and_wait(Answer answer, Event &event) { resume_here(answer, event); }

// The same with looks around, and for exits that are nobody else's business. Apart, because a loop around the entry would
// keep its variables on the stack, for a few instructions on every exit.
[[gnu::noinline]] void Processor::resume_slowly(Event &event) {
    for (;;) {
        if (attention_.load(std::memory_order_relaxed) != 0 && choose(event) == nullptr)
            return;
        const u64 cause = exit_path::enter(running_->context_);
        if (on_exit(*running_, cause, event) == Outcome::deliver)
            return;
    }
}

void Processor::apply(Answer answer) { finish(answer); }

} // namespace sel4vm::el2
