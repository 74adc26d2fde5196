// SPDX-License-Identifier: BSD-2-Clause
//
// What the platform support library needs from seL4: files of the program's C library (CPIO archive, file server), pages from
// the client's vka and simple, and their mappings in the VMM's vspace.
#include <hosts/sel4/services.hpp>

#include <sel4vmmplatsupport/host_hooks.hpp>

#include <sel4vm/base/text.hpp>

#include <memory>
#include <new>

extern "C" {
#include <fcntl.h>
#include <sel4/sel4.h>
#include <simple/simple.h>
#include <stdio.h>
#include <unistd.h>
#include <vka/capops.h>
#include <vka/object.h>
#include <vspace/vspace.h>
}

namespace sel4vm::platsupport {

namespace {

constexpr u32 kPageBits = seL4_PageBits;

Err<HostError> fail(HostErrorKind kind, int code = 0) { return Err{HostError{kind, code}}; }

class PosixFile final : public ImageSource {
public:
    PosixFile(int descriptor, u64 size) : descriptor_(descriptor), size_(size) {}
    ~PosixFile() { static_cast<void>(close(descriptor_)); }
    PosixFile(const PosixFile &) = delete;
    PosixFile &operator=(const PosixFile &) = delete;

    [[nodiscard]] u64 size_bytes() override { return size_; }
    [[nodiscard]] bool read(u64 offset, std::span<u8> out) override {
        if (offset > size_ || out.size() > size_ - offset)
            return false;
        if (offset != position_ && lseek(descriptor_, static_cast<off_t>(offset), SEEK_SET) < 0)
            return false;
        position_ = offset;
        while (!out.empty()) {
            const ssize_t count = ::read(descriptor_, out.data(), out.size());
            if (count <= 0) {
                position_ = ~u64{0};
                return false;
            }
            position_ += static_cast<u64>(count);
            out = out.subspan(static_cast<usize>(count));
        }
        return true;
    }

private:
    int descriptor_;
    u64 size_;
    u64 position_ = ~u64{0};
};

vka_object_t object_of(seL4_CPtr cap) {
    vka_object_t object{};
    object.cptr = cap;
    return object;
}

/// A page that is a capability in a slot of its own, not an object of the allocator: ut is 0.
bool is_copy(const Page &page) { return page.object.ut == 0; }

void drop_slot(vm_t &vm, seL4_CPtr cap) {
    cspacepath_t path;
    vka_cspace_make_path(vm.vka, cap, &path);
    static_cast<void>(vka_cnode_delete(&path));
    vka_cspace_free_path(vm.vka, path);
}

} // namespace

Result<ImageSource *, HostError> open_image(vm_t &, const char *name) {
    const int descriptor = open(name, O_RDONLY);
    if (descriptor < 0)
        return fail(HostErrorKind::invalid);
    const off_t size = lseek(descriptor, 0, SEEK_END);
    void *block = size < 0 ? nullptr : sel4::CHeap::instance().allocate(sizeof(PosixFile), alignof(PosixFile));
    if (block == nullptr) {
        static_cast<void>(close(descriptor));
        return fail(size < 0 ? HostErrorKind::failed : HostErrorKind::out_of_memory);
    }
    return static_cast<ImageSource *>(::new (block) PosixFile(descriptor, static_cast<u64>(size)));
}

void close_image(vm_t &, ImageSource &image) {
    auto *file = static_cast<PosixFile *>(&image);
    std::destroy_at(file);
    sel4::CHeap::instance().deallocate(file, sizeof(PosixFile), alignof(PosixFile));
}

Result<Page, HostError> allocate_page(vm_t &vm) {
    Page page;
    if (const int error = vka_alloc_frame(vm.vka, kPageBits, &page.object); error != 0)
        return fail(HostErrorKind::out_of_memory, error);
    page.frame = page.object.cptr;
    return page;
}

// The environment's own frame (the kernel has taken it out of the untyped memory), else one made of device memory.
Result<Page, HostError> page_at(vm_t &vm, u64 phys) {
    cspacepath_t path;
    if (const int error = vka_cspace_alloc_path(vm.vka, &path); error != 0)
        return fail(HostErrorKind::out_of_memory, error);
    // SAFETY: simple takes physical addresses as pointers.
    if (simple_get_frame_cap(vm.simple, reinterpret_cast<void *>(phys), kPageBits, &path) == 0)
        return Page{path.capPtr, object_of(path.capPtr)};
    vka_cspace_free_path(vm.vka, path);
    Page page;
    if (const int error = vka_alloc_frame_at(vm.vka, kPageBits, phys, &page.object); error != 0)
        return fail(HostErrorKind::invalid, error);
    page.frame = page.object.cptr;
    return page;
}

bool is_device_page(vm_t &vm, u64 phys) {
    const auto page = page_at(vm, phys);
    if (!page)
        return false;
    free_page(vm, *page);
    return true;
}

Result<Page, HostError> duplicate_page(vm_t &vm, const Page &page) {
    cspacepath_t from;
    cspacepath_t to;
    vka_cspace_make_path(vm.vka, page.frame, &from);
    if (const int error = vka_cspace_alloc_path(vm.vka, &to); error != 0)
        return fail(HostErrorKind::out_of_memory, error);
    if (const int error = vka_cnode_copy(&to, &from, seL4_AllRights); error != 0) {
        vka_cspace_free_path(vm.vka, to);
        return fail(HostErrorKind::failed, error);
    }
    return Page{to.capPtr, object_of(to.capPtr)};
}

void free_page(vm_t &vm, const Page &page) {
    if (page.frame == seL4_CapNull)
        return;
    if (is_copy(page))
        return drop_slot(vm, page.frame);
    vka_object_t object = page.object;
    vka_free_object(vm.vka, &object);
}

Result<void *, HostError> show_page(vm_t &vm, const Page &page) {
    seL4_CPtr frame = page.frame;
    // Device registers must not be cached, and nothing that guests share is read often.
    void *at = vspace_map_pages(&vm.mem.vmm_vspace, &frame, nullptr, seL4_AllRights, 1, kPageBits, 0);
    if (at == nullptr)
        return fail(HostErrorKind::out_of_memory);
    return at;
}

void hide_page(vm_t &vm, const Page &, void *at) {
    vspace_unmap_pages(&vm.mem.vmm_vspace, at, 1, kPageBits, VSPACE_PRESERVE);
}

Status<HostError> call_monitor(vm_t &, seL4_CPtr cap, std::span<u64, 8> registers) {
#ifdef CONFIG_ALLOW_SMC_CALLS
    seL4_ARM_SMCContext arguments{registers[0], registers[1], registers[2], registers[3],
                                  registers[4], registers[5], registers[6], registers[7]};
    seL4_ARM_SMCContext results;
    if (const int error = seL4_ARM_SMC_Call(cap, &arguments, &results); error != 0)
        return fail(HostErrorKind::failed, error);
    const u64 values[8] = {results.x0, results.x1, results.x2, results.x3,
                           results.x4, results.x5, results.x6, results.x7};
    for (usize i = 0; i < 8; ++i)
        registers[i] = values[i];
    return Ok{};
#else
    static_cast<void>(cap);
    static_cast<void>(registers);
    return fail(HostErrorKind::not_available);
#endif
}

Status<HostError> install_service(vm_t &vm, seL4_CPtr cap, seL4_Word slot, seL4_Word badge) {
    cspacepath_t from;
    vka_cspace_make_path(vm.vka, cap, &from);
    cspacepath_t to{};
    to.root = vm.cspace.cspace_obj.cptr;
    to.capPtr = slot;
    to.capDepth = VM_CSPACE_SIZE_BITS;
    if (const int error = vka_cnode_mint(&to, &from, seL4_AllRights, badge); error != 0)
        return fail(HostErrorKind::failed, error);
    return Ok{};
}

// The kernel switches SIMD registers by itself.
LibraryScope::LibraryScope(vm_t &) {}

void report(vm_t *vm, LogLevel level, std::string_view text) {
    const char *name = vm != nullptr && vm->vm_name != nullptr ? vm->vm_name : "host";
    sel4::PrintLog{}.line(level, name, text);
}

} // namespace sel4vm::platsupport
