// SPDX-License-Identifier: BSD-2-Clause
#include <sel4_host/double/kernel.hpp>

#include <sel4vm/base/assert.hpp>

#include <cstdio>

namespace sel4vm::sel4_double {

namespace {
// The C calls have no other way.
Kernel *current_kernel = nullptr; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
} // namespace

Kernel::Kernel() : root(new CNode(kRootRadix)), self(new Tcb), next_given_((u64{1} << kRootRadix) - 1) {
    SEL4VM_ASSERT(current_kernel == nullptr);
    current_kernel = this;
    cspace = Capability(*root);
    cspace.guard_bits = seL4_WordBits - kRootRadix;
    self->max_priority = 255;
    self->priority = 255;
    self->state = Tcb::State::running;
}

Kernel::~Kernel() {
    end();
    cspace.clear();
    current_kernel = nullptr;
}

// Memory after what is in it. One of the slots leads to the node itself.
void Kernel::end() {
    for (Capability &cap : root->slots) {
        if (!cap.is(ObjectKind::untyped))
            cap.clear();
    }
    root->slots.clear();
}

Kernel &Kernel::current() {
    SEL4VM_ASSERT(current_kernel != nullptr);
    return *current_kernel;
}

void Kernel::violate(const std::string &what) {
    if (violation.empty())
        violation = what;
    std::fprintf(stderr, "the double of seL4: %s\n", what.c_str());
}

Capability *Kernel::slot(seL4_CPtr cap) { return resolve(cspace, cap, seL4_WordBits); }

Capability *Kernel::invoked(seL4_CPtr cap) {
    ++calls;
    Capability *const found = slot(cap);
    return found == nullptr || !*found ? nullptr : found;
}

seL4_CPtr Kernel::give(Capability cap) {
    const seL4_CPtr at = next_given_--;
    root->slots[at] = std::move(cap);
    return at;
}

} // namespace sel4vm::sel4_double
