// SPDX-License-Identifier: BSD-2-Clause
//
// Kernel objects and the capabilities to them. An object lives while a capability to it does; one object is in one piece of
// untyped memory. Simplification: of the derivation tree only this is kept, since nobody here revokes.
#pragma once

#include <sel4vm/base/types.hpp>

extern "C" {
#include <sel4/sel4.h>
}

#include <utility>

namespace sel4vm::sel4_double {

enum class ObjectKind : u8 {
    untyped,
    tcb,
    endpoint,
    notification,
    cnode,
    sched_context,
    sched_control,
    reply,
    frame,
    page_table,
    vspace,
    asid_pool,
    vcpu,
    smc,
};

class Untyped;

class Object {
public:
    Object(ObjectKind what, unsigned bits) : kind(what), size_bits(bits) {}
    virtual ~Object();
    Object(const Object &) = delete;
    Object &operator=(const Object &) = delete;

    /// The last capability goes: what the object did to others is undone.
    virtual void finalise() {}

    const ObjectKind kind;
    const unsigned size_bits;
    u64 phys = 0;
    Untyped *memory = nullptr; ///< what it was made from
    unsigned capabilities = 0;
};

enum Right : u8 { kWrite = 1, kRead = 2, kGrant = 4, kGrantReply = 8, kAllRights = 15 };

/// A capability, or none. Copying is what the kernel's calls do; a copy of a mapped frame's is not mapped.
class Capability {
public:
    Capability() = default;
    explicit Capability(Object &object, u8 with_rights = kAllRights, u64 with_badge = 0)
        : rights(with_rights), badge(with_badge), object_(&object) {
        ++object.capabilities;
    }
    Capability(Capability &&other) noexcept
        : rights(other.rights), badge(other.badge), guard_bits(other.guard_bits), asid(other.asid),
          address(other.address), object_(std::exchange(other.object_, nullptr)) {}
    Capability &operator=(Capability &&other) noexcept;
    Capability(const Capability &) = delete;
    Capability &operator=(const Capability &) = delete;
    ~Capability() { clear(); }

    [[nodiscard]] Object *object() const { return object_; }
    explicit operator bool() const { return object_ != nullptr; }
    [[nodiscard]] bool is(ObjectKind kind) const { return object_ != nullptr && object_->kind == kind; }
    [[nodiscard]] bool allows(unsigned needed) const { return (rights & needed) == needed; }
    /// nullptr when it is of another kind.
    template <class T>
    [[nodiscard]] T *as() const {
        return is(T::kKind) ? static_cast<T *>(object_) : nullptr;
    }
    /// Deletes it; the last one ends its object.
    void clear();

    u8 rights = kAllRights;
    u64 badge = 0;           ///< of an endpoint or notification
    unsigned guard_bits = 0; ///< of a CNode; the guard is 0
    u32 asid = 0;            ///< of a frame, table or vspace: where it is mapped; 0: nowhere
    u64 address = 0;         ///< of a mapped frame or table

private:
    Object *object_ = nullptr;
};

} // namespace sel4vm::sel4_double
