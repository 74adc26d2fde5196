// SPDX-License-Identifier: BSD-2-Clause
#include <sel4_host/double/object.hpp>

#include <sel4_host/double/address_space.hpp>
#include <sel4_host/double/kernel.hpp>
#include <sel4_host/double/untyped.hpp>

namespace sel4vm::sel4_double {

Object::~Object() {
    if (memory != nullptr)
        --memory->children;
}

Capability &Capability::operator=(Capability &&other) noexcept {
    if (this != &other) {
        clear();
        rights = other.rights;
        badge = other.badge;
        guard_bits = other.guard_bits;
        asid = other.asid;
        address = other.address;
        object_ = std::exchange(other.object_, nullptr);
    }
    return *this;
}

void Capability::clear() {
    Object *const gone = std::exchange(object_, nullptr);
    if (gone == nullptr)
        return;
    if (asid != 0 && gone->kind == ObjectKind::frame)
        unmap_frame(static_cast<Frame &>(*gone), asid, address);
    if (asid != 0 && gone->kind == ObjectKind::page_table && gone->capabilities == 1)
        unmap_table(static_cast<PageTable &>(*gone), asid, address);
    asid = 0;
    if (--gone->capabilities != 0)
        return;
    gone->finalise();
    if (gone->kind == ObjectKind::untyped && static_cast<Untyped *>(gone)->children != 0) {
        Kernel::current().violate("the last capability to memory goes while there are objects in it");
        return; // they still point to it
    }
    delete gone;
}

} // namespace sel4vm::sel4_double
