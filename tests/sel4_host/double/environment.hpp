// SPDX-License-Identifier: BSD-2-Clause
//
// A root task's environment on the double: vka, vspace and simple over the kernel, with an account of what was taken and not
// given back. sel4vm/host.h opens it.
#pragma once

#include <sel4_host/double/kernel.hpp>
#include <sel4_host/double/untyped.hpp>
#include <sel4_host/double/vmm_space.hpp>

extern "C" {
#include <simple/simple.h>
#include <vka/capops.h>
#include <vka/object.h>
}

#include <memory>
#include <set>

namespace sel4vm::sel4_double {

class Environment {
public:
    Environment();
    ~Environment();
    Environment(const Environment &) = delete;
    Environment &operator=(const Environment &) = delete;

    // -- vka
    [[nodiscard]] std::optional<seL4_CPtr> take_slot();
    void give_back_slot(seL4_CPtr slot);
    /// At `paddr` if there is one. False: refused, and *object is empty.
    [[nodiscard]] bool make(seL4_Word type, seL4_Word size_bits, std::optional<u64> paddr, vka_object_t &object);
    void free(const vka_object_t &object);
    /// The memory of an object whose last capability is gone.
    void free_memory(seL4_Word ut);
    void make_path(seL4_CPtr slot, cspacepath_t &path) const;
    /// The object made last is the environment's own from now on: nobody owes it.
    void keep_for_good() { owed_ -= 2; }

    // -- simple
    [[nodiscard]] seL4_CPtr make_vmm_root();
    /// A device whose frame the environment has already, and hands out copies of.
    void add_device_frame(u64 phys);
    /// seL4_CapNull for none.
    [[nodiscard]] seL4_CPtr device_frame(u64 phys) const;

    /// Whatever is not given back: objects, slots, reservations, pages, heap blocks.
    [[nodiscard]] usize live() const {
        return owed_ + open_spaces + space.reservations() + space.pages() + kernel.heap_blocks + kernel.asids.size();
    }

    Kernel kernel;
    vka_t vka{this};
    seL4_CPtr root_node;
    seL4_CPtr tcb;
    seL4_CPtr asid_pool;
    seL4_CPtr sched_control[CONFIG_MAX_NUM_NODES];
    VmmSpace space;
    /// For untyped memory: there is none of the kernel's left, only some that it does not manage.
    bool spare_ram_is_device_memory = false;
    usize open_spaces = 0; ///< of libsel4utils

private:
    usize owed_ = 0;
    std::map<seL4_Word, std::unique_ptr<Untyped>> sources_; ///< of objects that are not untyped memory themselves
    std::set<seL4_CPtr> free_slots_;
    seL4_CPtr next_slot_ = 1;
    seL4_Word last_made_ = 0;
    std::map<u64, seL4_CPtr> device_frames_;
};

} // namespace sel4vm::sel4_double
