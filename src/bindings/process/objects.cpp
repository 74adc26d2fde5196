// SPDX-License-Identifier: BSD-2-Clause
#include <bindings/process/objects.hpp>

#include <sel4vm/base/assert.hpp>

#include <sys/mman.h>
#include <unistd.h>

namespace sel4vm::process {

namespace {

constexpr seL4_Word kSignalType = 100;

int alloc_object(void *data, seL4_Word type, seL4_Word size_bits, uintptr_t paddr, vka_object_t *result) {
    *result = {};
    if (paddr != VKA_NO_PADDR)
        return -1; // nothing of a process has an address that can be chosen
    const Object *object = static_cast<Objects *>(data)->make(type, size_bits);
    if (object == nullptr)
        return -1;
    *result = {handle_of(object), 0, type, size_bits};
    return 0;
}

void free_object(void *data, vka_object_t *object) {
    auto &objects = *static_cast<Objects *>(data);
    if (Object *found = objects.find(object->cptr, object->type))
        objects.free(found);
    *object = {};
}

uintptr_t object_paddr(void *data, const vka_object_t *object) {
    const Object *frame = static_cast<Objects *>(data)->find_frame(object->cptr);
    // SAFETY: an address that nobody reads through; it tells frames apart, as physical addresses do.
    return frame == nullptr ? VKA_NO_PADDR : reinterpret_cast<uintptr_t>(frame->window);
}

bool is_frame(seL4_Word type) {
    return type == seL4_ARM_SmallPageObject || type == seL4_ARM_LargePageObject || type == seL4_ARM_HugePageObject;
}

} // namespace

Objects::Objects() : frames_file_(memfd_create("frames", MFD_CLOEXEC)) { SEL4VM_ASSERT(frames_file_ >= 0); }

Objects::~Objects() {
    SEL4VM_ASSERT(objects_.empty()); // free_all()
    close(frames_file_);
}

vka_t Objects::vka() { return {this, alloc_object, free_object, object_paddr}; }

Object *Objects::make(seL4_Word type, seL4_Word size_bits) {
    if (!may_make())
        return nullptr;
    auto object = std::make_unique<Object>(Object{*this, type, size_bits});
    if (is_frame(type) && !make_window(*object))
        return nullptr;
    was_made();
    Object *const made = object.get();
    objects_[handle_of(made)] = std::move(object);
    return made;
}

bool Objects::make_window(Object &frame) {
    const u64 bytes = u64{1} << frame.size_bits;
    const auto offset = static_cast<off_t>(frames_end_);
    if (ftruncate(frames_file_, offset + static_cast<off_t>(bytes)) != 0)
        return false;
    void *const window = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, frames_file_, offset);
    if (window == MAP_FAILED)
        return false;
    frame.offset = frames_end_;
    frame.window = static_cast<u8 *>(window);
    frames_end_ += bytes;
    return true;
}

void Objects::free(Object *object) {
    if (object->window != nullptr)
        munmap(object->window, u64{1} << object->size_bits);
    was_freed();
    objects_.erase(handle_of(object));
}

void Objects::free_all() {
    while (!objects_.empty())
        free(objects_.begin()->second.get());
}

Object *Objects::find(seL4_CPtr handle, seL4_Word type) {
    const auto found = objects_.find(handle);
    return found != objects_.end() && found->second->type == type ? found->second.get() : nullptr;
}

Object *Objects::find_frame(seL4_CPtr handle) {
    const auto found = objects_.find(handle);
    return found != objects_.end() && found->second->window != nullptr ? found->second.get() : nullptr;
}

} // namespace sel4vm::process

using namespace sel4vm;

int vm_host_make_signal(vm_host_t *host, seL4_Word badge, seL4_CPtr *signal) {
    if (host == nullptr || signal == nullptr || badge == 0)
        return -1;
    process::Object *object = process::Objects::of(host->vka).make(process::kSignalType, 0);
    if (object == nullptr)
        return -1;
    object->badge = badge;
    *signal = process::handle_of(object);
    return 0;
}

void vm_host_free_signal(vm_host_t *host, seL4_CPtr signal) {
    if (host == nullptr)
        return;
    process::Objects &objects = process::Objects::of(host->vka);
    if (process::Object *object = objects.find(signal, process::kSignalType))
        objects.free(object);
}

void seL4_Signal(seL4_CPtr dest) {
    // SAFETY: the caller's handle is a live object.
    const auto *object = reinterpret_cast<process::Object *>(dest);
    object->owner.signalled(object->badge);
}
