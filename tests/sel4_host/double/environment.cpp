// SPDX-License-Identifier: BSD-2-Clause
#include <sel4_host/double/environment.hpp>

#include <sel4_host/double/address_space.hpp>

#include <sel4vm/base/assert.hpp>

namespace sel4vm::sel4_double {

Environment::Environment()
    : root_node(kernel.give(Capability(*kernel.root))), tcb(kernel.give(Capability(*kernel.self))),
      asid_pool(kernel.give(Capability(*new AsidPool))), sched_control(), space(*this) {
    kernel.root->slots[root_node].guard_bits = seL4_WordBits - Kernel::kRootRadix;
    unsigned cpu = 0;
    for (seL4_CPtr &control : sched_control)
        control = kernel.give(Capability(*new SchedControl(cpu++)));
}

// What is still there is the environment's own, or a leak that a test has seen.
Environment::~Environment() { kernel.end(); }

seL4_CPtr Environment::make_vmm_root() {
    const seL4_CPtr root = kernel.give(Capability(*new VSpace));
    SEL4VM_ASSERT(seL4_ARM_ASIDPool_Assign(asid_pool, root) == seL4_NoError);
    return root;
}

std::optional<seL4_CPtr> Environment::take_slot() {
    constexpr seL4_CPtr kGiven = 64; // at the end, the kernel's
    seL4_CPtr slot = next_slot_;
    if (!free_slots_.empty()) {
        slot = *free_slots_.begin();
        free_slots_.erase(free_slots_.begin());
    } else if (next_slot_ + kGiven < u64{1} << Kernel::kRootRadix) {
        ++next_slot_;
    } else {
        return std::nullopt;
    }
    ++owed_;
    return slot;
}

void Environment::give_back_slot(seL4_CPtr slot) {
    if (slot == 0 || slot >= next_slot_ || free_slots_.contains(slot))
        return kernel.violate("a slot is given back that was not taken");
    if (*kernel.slot(slot))
        kernel.violate("a slot is given back with a capability in it");
    free_slots_.insert(slot);
    --owed_;
}

void Environment::make_path(seL4_CPtr slot, cspacepath_t &path) const {
    path = {};
    path.capPtr = slot;
    path.capDepth = seL4_WordBits;
    path.root = root_node;
    path.dest = 0;
    path.destDepth = 0;
    path.offset = slot;
    path.window = 1;
}

bool Environment::make(seL4_Word type, seL4_Word size_bits, std::optional<u64> paddr, vka_object_t &object) {
    object = {};
    const unsigned bits = object_bits(type, size_bits);
    if (bits == 0 || kernel.refusals.resource())
        return false;
    std::optional<u64> phys = paddr;
    if (paddr ? !kernel.memory.take_at(*paddr, bits) : !(phys = kernel.memory.take(bits)))
        return false;
    const auto slot = take_slot();
    if (!slot) {
        kernel.memory.give_back(*phys);
        return false;
    }
    auto source = std::make_unique<Untyped>(
        *phys, bits, PhysicalMemory::is_ram(*phys) ? Untyped::Memory::ram : Untyped::Memory::device);
    Capability &cap = *kernel.slot(*slot);
    object = {*slot, ++last_made_, type, size_bits};
    if (type == seL4_UntypedObject) {
        cap = Capability(*source.release());
    } else if (retype(*source, type, size_bits, cap) == seL4_NoError) {
        sources_[object.ut] = std::move(source);
    } else {
        kernel.memory.give_back(*phys);
        give_back_slot(*slot);
        object = {};
        return false;
    }
    ++owed_;
    return true;
}

void Environment::free(const vka_object_t &object) {
    Capability *const cap = kernel.slot(object.cptr);
    const auto source = sources_.find(object.ut);
    const bool untyped = object.type == seL4_UntypedObject;
    if (object.ut == 0 || cap == nullptr || !*cap || (!untyped && source == sources_.end()))
        return kernel.violate("an object is given back that is none of the allocator's");
    const u64 phys = cap->object()->phys;
    cap->clear();
    give_back_slot(object.cptr);
    --owed_;
    if (!untyped && source->second->children != 0)
        return kernel.violate("an object is given back while there is a capability to it");
    kernel.memory.give_back(phys);
    if (!untyped)
        sources_.erase(source);
}

void Environment::free_memory(seL4_Word ut) {
    const auto source = sources_.find(ut);
    if (source == sources_.end() || source->second->children != 0)
        return kernel.violate("memory is given back that is in use, or none of the allocator's");
    kernel.memory.give_back(source->second->phys);
    sources_.erase(source);
    --owed_;
}

void Environment::add_device_frame(u64 phys) {
    vka_object_t object;
    SEL4VM_ASSERT(make(seL4_ARM_SmallPageObject, seL4_PageBits, phys, object));
    keep_for_good();
    device_frames_[phys] = object.cptr;
}

seL4_CPtr Environment::device_frame(u64 phys) const {
    const auto found = device_frames_.find(phys);
    return found == device_frames_.end() ? seL4_CapNull : found->second;
}

} // namespace sel4vm::sel4_double
