// SPDX-License-Identifier: BSD-2-Clause
#include <bindings/fake/host.hpp>

#include <sel4vm/base/assert.hpp>

#include <sys/mman.h>
#include <unistd.h>

namespace sel4vm::fake {

namespace {
constexpr seL4_Word kSignalType = 100;
} // namespace

Host::Host() : frames_file_(memfd_create("frames", 0)) { SEL4VM_ASSERT(frames_file_ >= 0); }

Host::~Host() {
    while (!objects_.empty())
        free(objects_.begin()->second.get());
    close(frames_file_);
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

volatile u8 *Host::add_device(u64 phys, usize pages) {
    volatile u8 *registers = nullptr;
    for (usize i = 0; i < pages; ++i) {
        Object *page = make(seL4_ARM_SmallPageObject, seL4_PageBits);
        SEL4VM_ASSERT(page != nullptr);
        devices_[phys + i * kPageBytes] = reinterpret_cast<seL4_CPtr>(page);
        note_gone(); // nobody has to give it back
        registers = i == 0 ? page->window : registers;
    }
    return registers;
}

seL4_CPtr Host::device_frame(u64 phys) const {
    const auto found = devices_.find(phys);
    return found == devices_.end() ? seL4_CapNull : found->second;
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

void vm_host_log(const char *line) {
    if (line != nullptr)
        fake::program_log().line(LogLevel::info, "client", line);
}

void vm_host_console_put(vm_host_t *host, const void *bytes, size_t size) {
    if (host == nullptr || bytes == nullptr)
        return;
    fake::Host::put({static_cast<const char *>(bytes), size});
}

size_t vm_host_console_get(vm_host_t *host, void *bytes, size_t size) {
    if (host == nullptr || bytes == nullptr)
        return 0;
    return fake::Host::read({static_cast<char *>(bytes), size});
}

int vm_host_console_listen(vm_host_t *host, seL4_Word badge) {
    return host != nullptr && badge != 0 && fake::Host::of(*host).listen(badge) ? 0 : -1;
}

// The host has a clock of its own.
int vm_host_timeout_source(vm_host_t *, seL4_Word, vm_timeout_source_t *) { return -1; }

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
