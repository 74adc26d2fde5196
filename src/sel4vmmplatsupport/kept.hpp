// SPDX-License-Identifier: BSD-2-Clause
//
// What this library makes for a VM and what must go with it: pages behind reservations, views of devices, copies of what a
// client described. Released by vm_destroy(), after the VM's mappings are gone.
#pragma once

#include <sel4vmmplatsupport/host_hooks.hpp>
#include <sel4vmmplatsupport/memory.hpp>

#include <sel4vm/base/assert.hpp>

#include <sel4vm/boot.h>

namespace sel4vm::platsupport {

/// Pages of 4 KiB, each of which may be visible to the VMM, and whatever state a kind of device has beside them.
class PageSet {
public:
    PageSet() = default;
    ~PageSet() { release(); }
    PageSet(const PageSet &) = delete;
    PageSet &operator=(const PageSet &) = delete;

    /// Room for `count` pages; once, first.
    [[nodiscard]] bool make_room(vm_t &vm, usize count);
    [[nodiscard]] usize size() const { return size_; }
    /// Takes the page over; there is room for it.
    void add(const Page &page);
    /// As add(), and shows it to the VMM. When that fails the page is freed.
    [[nodiscard]] Result<void *, HostError> add_shown(const Page &page);
    [[nodiscard]] const Page &page(usize index) const { return slots_[index].page; }
    /// Where the VMM sees it; nullptr when it was not shown.
    [[nodiscard]] void *shown(usize index) const { return slots_[index].shown; }
    void release();

private:
    struct Slot {
        Page page;
        void *shown;
    };
    vm_t *vm_ = nullptr;
    Slot *slots_ = nullptr;
    usize size_ = 0;
    usize room_ = 0;
};

/// Gives `object` to the VM. False when there was no memory for that; `object` is then gone at the end of the caller's scope.
template <class T>
[[nodiscard]] bool keep(vm_t &vm, CObject<T> &object) {
    const auto release = [](vm_t *, void *kept) {
        std::destroy_at(static_cast<T *>(kept));
        std::free(kept);
    };
    if (vm_register_destroy_callback(&vm, release, object.get()) != 0)
        return false;
    static_cast<void>(object.release());
    return true;
}

} // namespace sel4vm::platsupport
