// SPDX-License-Identifier: BSD-2-Clause
#include <bindings/kvm/environment.hpp>

#include <sel4vm/base/assert.hpp>

#include <fstream>
#include <iterator>
#include <sys/mman.h>

namespace sel4vm::kvm {

namespace {
constexpr seL4_Word kSignalType = 100;
} // namespace

Environment::Environment() : frames_file_(memfd_create("frames", MFD_CLOEXEC)) { SEL4VM_ASSERT(frames_file_); }

Environment::~Environment() {
    while (!objects_.empty())
        free(objects_.begin()->second.get());
}

Object *Environment::make(seL4_Word type, seL4_Word size_bits) {
    auto object = std::make_unique<Object>(Object{*this, type, size_bits});
    if (type == seL4_ARM_SmallPageObject || type == seL4_ARM_LargePageObject || type == seL4_ARM_HugePageObject) {
        const u64 bytes = u64{1} << size_bits;
        object->offset = frames_end_;
        if (ftruncate(frames_file(), static_cast<off_t>(frames_end_ + bytes)) != 0)
            return nullptr;
        void *const window =
            mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, frames_file(), static_cast<off_t>(frames_end_));
        if (window == MAP_FAILED)
            return nullptr;
        frames_end_ += bytes;
        object->window = static_cast<u8 *>(window);
    }
    note_made();
    Object *const made = object.get();
    // SAFETY: handles are addresses of objects; find() accepts only live ones.
    objects_[reinterpret_cast<seL4_CPtr>(made)] = std::move(object);
    return made;
}

void Environment::free(Object *object) {
    if (object->window != nullptr)
        munmap(object->window, u64{1} << object->size_bits);
    note_gone();
    objects_.erase(reinterpret_cast<seL4_CPtr>(object)); // SAFETY: as above
}

Object *Environment::find(seL4_CPtr handle, seL4_Word type) {
    const auto found = objects_.find(handle);
    return found != objects_.end() && found->second->type == type ? found->second.get() : nullptr;
}

Object *Environment::find_frame(seL4_CPtr handle) {
    const auto found = objects_.find(handle);
    return found != objects_.end() && found->second->window != nullptr ? found->second.get() : nullptr;
}

const std::string *Environment::file(const std::string &name) {
    auto found = files_.find(name);
    if (found == files_.end()) {
        std::ifstream in(name, std::ios::binary);
        if (!in)
            return nullptr;
        found = files_.emplace(name, std::string(std::istreambuf_iterator<char>(in), {})).first;
    }
    return &found->second;
}

} // namespace sel4vm::kvm

using namespace sel4vm;

void vm_host_close(vm_host_t *host) {
    if (host == nullptr)
        return;
    const std::unique_ptr<kvm::Environment> owned(static_cast<kvm::Environment *>(host->impl));
    *host = {};
}

int vm_host_make_signal(vm_host_t *host, seL4_Word badge, seL4_CPtr *signal) {
    if (host == nullptr || signal == nullptr || badge == 0)
        return -1;
    kvm::Object *object = kvm::Environment::of(*host).make(kvm::kSignalType, 0);
    if (object == nullptr)
        return -1;
    object->badge = badge;
    *signal = reinterpret_cast<seL4_CPtr>(object); // SAFETY: a handle
    return 0;
}

void vm_host_free_signal(vm_host_t *host, seL4_CPtr signal) {
    if (host == nullptr)
        return;
    if (kvm::Object *object = kvm::Environment::of(*host).find(signal, kvm::kSignalType))
        kvm::Environment::of(*host).free(object);
}

void vm_host_log(const char *line) {
    if (line != nullptr)
        kvm::Log{}.line(LogLevel::info, "client", line);
}

void vm_host_console_put(vm_host_t *host, const void *bytes, size_t size) {
    if (host != nullptr && bytes != nullptr)
        kvm::put_bytes({static_cast<const u8 *>(bytes), size});
}

// Which of several VMs' executors would look at it is not decided yet.
size_t vm_host_console_get(vm_host_t *, void *, size_t) { return 0; }
int vm_host_console_listen(vm_host_t *, seL4_Word) { return -1; }

// The host has a clock of its own.
int vm_host_timeout_source(vm_host_t *, seL4_Word, vm_timeout_source_t *) { return -1; }

int vm_host_file(vm_host_t *host, const char *name, const void **bytes, size_t *size) {
    if (host == nullptr || name == nullptr || bytes == nullptr || size == nullptr)
        return -1;
    const std::string *file = kvm::Environment::of(*host).file(name);
    if (file == nullptr)
        return -1;
    *bytes = file->data();
    *size = file->size();
    return 0;
}

void seL4_Signal(seL4_CPtr dest) {
    // SAFETY: the caller's handle is a live object of this host.
    auto *object = reinterpret_cast<kvm::Object *>(dest);
    object->environment.shared().mailbox.signal(object->badge);
}
