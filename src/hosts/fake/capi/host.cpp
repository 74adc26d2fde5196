// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/fake/capi/host.hpp>

#include <sel4vm/base/assert.hpp>

#include <algorithm>
#include <cstdlib>
#include <sys/mman.h>
#include <unistd.h>

namespace sel4vm::fake {

namespace {
constexpr seL4_Word kSignalType = 100;
}

Log &shared_log() {
    static Log log;
    return log;
}

Host::Host() : frames_file_(memfd_create("frames", 0)) { SEL4VM_ASSERT(frames_file_ >= 0); }

Host::~Host() {
    while (!objects_.empty())
        free(objects_.begin()->second.get());
    close(frames_file_);
}

void *Host::allocate(usize size_bytes, usize alignment) {
    if (refuses())
        return nullptr;
    void *block = nullptr;
    if (posix_memalign(&block, std::max(alignment, sizeof(void *)), size_bytes) != 0)
        return nullptr;
    note_made();
    return block;
}

void Host::deallocate(void *block, usize, usize) {
    note_gone();
    std::free(block);
}

Object *Host::make(seL4_Word type, seL4_Word size_bits) {
    if (refuses())
        return nullptr;
    auto object = std::make_unique<Object>(Object{*this, type, size_bits});
    const bool frame =
        type == seL4_ARM_SmallPageObject || type == seL4_ARM_LargePageObject || type == seL4_ARM_HugePageObject;
    if (frame) {
        const u64 bytes = u64{1} << size_bits;
        object->offset = frames_end_;
        if (ftruncate(frames_file_, static_cast<off_t>(frames_end_ + bytes)) != 0)
            return nullptr;
        frames_end_ += bytes;
        void *window =
            mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, frames_file_, static_cast<off_t>(object->offset));
        if (window == MAP_FAILED)
            return nullptr;
        object->window = static_cast<u8 *>(window);
    }
    note_made();
    Object *made = object.get();
    // SAFETY: handles are addresses of objects; find() accepts only live ones.
    objects_[reinterpret_cast<seL4_CPtr>(made)] = std::move(object);
    return made;
}

void Host::free(Object *object) {
    if (object->window != nullptr)
        munmap(object->window, u64{1} << object->size_bits);
    note_gone();
    objects_.erase(reinterpret_cast<seL4_CPtr>(object));
}

Object *Host::find(seL4_CPtr handle, seL4_Word type) {
    const auto found = objects_.find(handle);
    return found != objects_.end() && found->second->type == type ? found->second.get() : nullptr;
}

Object *Host::find_frame(seL4_CPtr handle) {
    const auto found = objects_.find(handle);
    return found != objects_.end() && found->second->window != nullptr ? found->second.get() : nullptr;
}

const std::string *Host::file(const std::string &name) const {
    const auto found = files_.find(name);
    return found == files_.end() ? nullptr : &found->second;
}

} // namespace sel4vm::fake

using namespace sel4vm;

void vm_host_close(vm_host_t *host) {
    if (host == nullptr)
        return;
    const std::unique_ptr<fake::Host> owned(static_cast<fake::Host *>(host->impl));
    *host = {};
}

int vm_host_make_signal(vm_host_t *host, seL4_Word badge, seL4_CPtr *signal) {
    if (host == nullptr || signal == nullptr || badge == 0)
        return -1;
    fake::Object *object = fake::Host::of(*host).make(fake::kSignalType, 0);
    if (object == nullptr)
        return -1;
    object->badge = badge;
    *signal = reinterpret_cast<seL4_CPtr>(object);
    return 0;
}

void vm_host_free_signal(vm_host_t *host, seL4_CPtr signal) {
    if (host == nullptr)
        return;
    if (fake::Object *object = fake::Host::of(*host).find(signal, fake::kSignalType))
        fake::Host::of(*host).free(object);
}

void vm_host_log(const char *line) { fake::shared_log().line(LogLevel::info, "client", line); }

int vm_host_file(vm_host_t *host, const char *name, const void **bytes, size_t *size) {
    if (host == nullptr || name == nullptr || bytes == nullptr || size == nullptr)
        return -1;
    const std::string *file = fake::Host::of(*host).file(name);
    if (file == nullptr)
        return -1;
    *bytes = file->data();
    *size = file->size();
    return 0;
}

void seL4_Signal(seL4_CPtr dest) {
    // SAFETY: the caller's handle is a live object of this host.
    auto *object = reinterpret_cast<fake::Object *>(dest);
    object->host.signal(object->badge);
}
