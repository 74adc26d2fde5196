// SPDX-License-Identifier: BSD-2-Clause
#include <bindings/fake/host.hpp>

#include <sel4vm/base/assert.hpp>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <sys/mman.h>
#include <unistd.h>

namespace sel4vm::fake {

namespace {
constexpr seL4_Word kSignalType = 100;

/// In front of each block, so that a host whose heap relies on what it is told when a block comes back would find everything right.
struct BlockSize {
    usize size_bytes;
    usize alignment;
};
usize front_of(usize alignment) { return std::max(alignment, sizeof(BlockSize)); }
} // namespace

Log &shared_log() {
    static Log log;
    return log;
}

sel4vm::Log &program_log() {
    struct ProgramLog final : sel4vm::Log {
        void line(LogLevel level, std::string_view source, std::string_view text) override {
            shared_log().line(level, source, text);
            if (process().is_used())
                Process::log(source, text);
        }
    };
    static ProgramLog log;
    return log;
}

Shared &shared() {
    static Shared shared;
    return shared;
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
    void *memory = nullptr;
    const usize front = front_of(alignment);
    if (posix_memalign(&memory, front, front + size_bytes) != 0)
        return nullptr;
    note_made();
    // SAFETY: the memory begins with at least a BlockSize, which ends where the block begins.
    u8 *block = static_cast<u8 *>(memory) + front;
    new (block - sizeof(BlockSize)) BlockSize{size_bytes, alignment};
    return block;
}

void Host::deallocate(void *block, usize size_bytes, usize alignment) {
    // SAFETY: the block is from allocate().
    u8 *bytes = static_cast<u8 *>(block);
    const auto *size = reinterpret_cast<const BlockSize *>(bytes - sizeof(BlockSize));
    SEL4VM_ASSERT(size->size_bytes == size_bytes && size->alignment == alignment);
    note_gone();
    std::free(bytes - front_of(alignment));
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

const std::string *Host::file(const std::string &name) {
    for (const std::map<std::string, std::string> *files : {&files_, &shared().files}) {
        if (const auto found = files->find(name); found != files->end())
            return &found->second;
    }
    auto found = process().file(name);
    return found ? &(files_[name] = *std::move(found)) : nullptr;
}

bool Host::announce_input(Process::Wait wait) {
    if (console_badge == 0 || !process().is_used() || !process().take_news(wait))
        return false;
    signal(console_badge);
    return true;
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
    const std::string_view text(static_cast<const char *>(bytes), size);
    if (fake::process().is_used())
        fake::Process::put(text);
    else
        fake::shared().console_output.append(text);
}

size_t vm_host_console_get(vm_host_t *host, void *bytes, size_t size) {
    if (host == nullptr || bytes == nullptr)
        return 0;
    if (fake::process().is_used())
        return fake::process().get({static_cast<char *>(bytes), size});
    std::string &input = fake::shared().console_input;
    const size_t count = std::min(size, input.size());
    std::copy_n(input.begin(), count, static_cast<char *>(bytes));
    input.erase(0, count);
    return count;
}

int vm_host_console_listen(vm_host_t *host, seL4_Word badge) {
    if (host == nullptr || badge == 0 || fake::Host::of(*host).console_badge != 0)
        return -1;
    fake::Host::of(*host).console_badge = badge;
    if (!fake::shared().console_input.empty())
        fake::Host::of(*host).signal(badge);
    return 0;
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
