// SPDX-License-Identifier: BSD-2-Clause
#include <bindings/process/objects.hpp>

#include <sel4vm/base/assert.hpp>

#include <fcntl.h>
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
    if (object->window != nullptr) {
        const u64 bytes = u64{1} << object->size_bits;
        munmap(object->window, bytes);
        // Its memory goes back; the file only grows in length.
        static_cast<void>(fallocate(frames_file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                    static_cast<off_t>(object->offset), static_cast<off_t>(bytes)));
    }
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

Result<u8 *, HostError> Objects::window_over(Gpa at, u64 size_bytes, const capi::FrameSource &frames) {
    void *const whole = mmap(nullptr, size_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (whole == MAP_FAILED)
        return Err{HostError{HostErrorKind::out_of_memory}};
    auto *const window = static_cast<u8 *>(whole);
    for (u64 done = 0; done < size_bytes;) {
        const vm_frame_t frame = frames.next(at.value() + done, frames.cookie);
        const Object *object = find_frame(frame.cptr);
        const u64 bytes = object == nullptr ? 0 : u64{1} << object->size_bits;
        if (object == nullptr || bytes > size_bytes - done || frame.vaddr != at.value() + done ||
            mmap(window + done, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, frames_file_,
                 static_cast<off_t>(object->offset)) == MAP_FAILED) {
            munmap(window, size_bytes);
            return Err{HostError{HostErrorKind::invalid}};
        }
        done += bytes;
    }
    return window;
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
