// SPDX-License-Identifier: BSD-2-Clause
//
// Kernels and modules from the host's files into guest RAM. Which bytes go where is boot/image.hpp's business; here they are moved,
// through vm_ram_touch(), in pieces, without a copy of the file.
#include <sel4vmmplatsupport/guest_image.h>

#include <sel4vm/base/bits.hpp>
#include <sel4vm/boot/bytes.hpp>
#include <sel4vm/boot/crc32.hpp>
#include <sel4vm/boot/image.hpp>
#include <sel4vm/boot/layout.hpp>
#include <sel4vmmplatsupport/gzip_image.hpp>
#include <sel4vmmplatsupport/log.hpp>
#include <sel4vmmplatsupport/memory.hpp>

#include <sel4vm/guest_ram.h>

#include <cstring>
#include <optional>

namespace sel4vm::platsupport {
namespace {

/// Enough for every header: an ELF file's program headers follow its first 64 bytes.
constexpr usize kHeadBytes = 4096;

constexpr u32 kDtbMagic = 0xd00d'feed;

/// An opened file, unpacked when it is gzip'd, and its first bytes.
class OpenedImage {
public:
    OpenedImage(vm_t &vm, const char *name) : vm_(vm), name_(name) {}
    ~OpenedImage() {
        if (file_ != nullptr)
            close_image(vm_, *file_);
    }
    OpenedImage(const OpenedImage &) = delete;
    OpenedImage &operator=(const OpenedImage &) = delete;

    enum class Packed : u8 { unpack, as_it_is };

    [[nodiscard]] int open(Packed packed) {
        auto opened = open_image(vm_, name_);
        if (!opened)
            return refuse(&vm_, name_, ": there is no such image");
        file_ = contents_ = *opened;
        if (read_head() != 0)
            return -1;
        if (packed == Packed::as_it_is || !GzipImage::is_gzip(view().head))
            return 0;
        unpacked_ = CObject<GzipImage>::make(*file_);
        if (!unpacked_)
            return refuse(&vm_, name_, ": there is not enough memory to unpack it");
        if (!unpacked_->open())
            return refuse(&vm_, name_, ": its gzip header is damaged");
        contents_ = unpacked_.get();
        return read_head();
    }

    [[nodiscard]] boot::FileView view() const {
        return {std::span<const u8>(head_).first(head_bytes_), contents_->size_bytes()};
    }
    [[nodiscard]] ImageSource &contents() { return *contents_; }

private:
    [[nodiscard]] int read_head() {
        const u64 size = contents_->size_bytes();
        head_bytes_ = size < kHeadBytes ? static_cast<usize>(size) : kHeadBytes;
        if (size == 0)
            return refuse(&vm_, name_, ": is empty");
        if (!contents_->read(0, std::span<u8>(head_).first(head_bytes_)))
            return refuse(&vm_, name_, ": cannot be read");
        return 0;
    }

    vm_t &vm_;
    const char *name_;
    ImageSource *file_ = nullptr;
    ImageSource *contents_ = nullptr;
    CObject<GzipImage> unpacked_;
    usize head_bytes_ = 0;
    std::array<u8, kHeadBytes> head_;
};

struct Copy {
    ImageSource &from;
    u64 offset;
    bool wants_crc = false;
    u32 crc = 0; // of what was copied, when it is wanted
};

int copy_part(vm_t *, uintptr_t, void *at, size_t size, size_t offset, void *cookie) {
    Copy &copy = *static_cast<Copy *>(cookie);
    const std::span<u8> part{static_cast<u8 *>(at), size};
    if (!copy.from.read(copy.offset + offset, part))
        return -1;
    if (copy.wants_crc)
        copy.crc = boot::crc32(part, copy.crc);
    return 0;
}

int clear_part(vm_t *, uintptr_t, void *at, size_t size, size_t, void *) {
    std::memset(at, 0, size);
    return 0;
}

enum class Rest : u8 { cleared, kept };

/// Copies the segment and marks its memory as allocated. `crc`: what it must have, when the file says.
int load_segment(vm_t &vm, const char *name, ImageSource &from, const boot::Segment &segment, Rest rest,
                 std::optional<u32> crc = std::nullopt) {
    Copy copy{from, segment.file_offset, crc.has_value(), 0};
    const u64 at = segment.at.value();
    if (segment.file_bytes != 0 && vm_ram_touch(&vm, at, segment.file_bytes, copy_part, &copy) != 0)
        return refuse(&vm, name, ": could not be copied to ", Hex{at}, ", ", segment.file_bytes, " bytes");
    if (crc && copy.crc != *crc)
        return refuse(&vm, name, ": ", boot::describe({boot::ImageErrorKind::uimage_data_crc, copy.crc, *crc}).view());
    const u64 left = segment.memory_bytes - segment.file_bytes;
    if (rest == Rest::cleared && left != 0 &&
        vm_ram_touch(&vm, at + segment.file_bytes, left, clear_part, nullptr) != 0)
        return refuse(&vm, name, ": the guest has no RAM at ", Hex{at + segment.file_bytes});
    const u64 first = align_down(at, kPageBytes);
    const auto end = align_up(at + segment.memory_bytes, kPageBytes);
    vm_ram_mark_allocated(&vm, first, end.value_or(at) - first);
    return 0;
}

bool is_alignment(size_t alignment) { return alignment == 0 || is_power_of_two(alignment); }

std::optional<u64> aligned(u64 address, size_t alignment) {
    return alignment == 0 ? std::optional{address} : align_up(address, alignment);
}

/// Images and raw binaries run anywhere: where the client says, else where the format says.
int place(vm_t &vm, const char *name, boot::KernelImage &kernel, size_t alignment) {
    if (kernel.format != boot::KernelFormat::arm64_image && kernel.format != boot::KernelFormat::raw)
        return 0;
    boot::Segment &segment = kernel.segments[0];
    const auto at = aligned(vm.entry != 0 ? vm.entry : segment.at.value(), alignment);
    if (!at || !checked_add(*at, segment.memory_bytes))
        return refuse(&vm, name, ": its address is impossible");
    segment.at = kernel.entry = Gpa{*at};
    return 0;
}

bool is_device_tree(std::span<const u8> head) { return head.size() >= 8 && boot::load_be<u32>(head, 0) == kDtbMagic; }

int load_kernel(vm_t &vm, const char *name, uintptr_t ram_base, size_t alignment, guest_kernel_image_t &out) {
    OpenedImage image(vm, name);
    if (image.open(OpenedImage::Packed::unpack) != 0)
        return -1;
    auto kernel = boot::parse_kernel(image.view(), Gpa{ram_base});
    if (!kernel)
        return refuse(&vm, name, ": ", boot::describe(kernel.error()).view());
    if (place(vm, name, *kernel, alignment) != 0)
        return -1;
    // What an Image has behind its last byte is the kernel's own affair; an ELF file's is zero.
    const Rest rest = kernel->format == boot::KernelFormat::elf ? Rest::cleared : Rest::kept;
    u64 copied = 0;
    for (const boot::Segment &segment : kernel->segments) {
        if (load_segment(vm, name, image.contents(), segment, rest, kernel->crc) != 0)
            return -1;
        copied += segment.file_bytes;
    }
    vm.entry = kernel->entry.value();
    out.kernel_image = {kernel->lowest().value(), alignment, copied};
    return 0;
}

int load_module(vm_t &vm, const char *name, uintptr_t address, size_t alignment, guest_image_t &out) {
    OpenedImage image(vm, name);
    if (image.open(OpenedImage::Packed::as_it_is) != 0)
        return -1;
    const boot::FileView view = image.view();
    boot::FilePart part{0, view.file_bytes};
    if (is_device_tree(view.head)) {
        const u32 said = boot::load_be<u32>(view.head, 4);
        if (said > view.file_bytes)
            return refuse(&vm, name, ": is a device tree of ", said, " bytes, but the file has ", view.file_bytes);
        if (said > boot::kLargestLinuxDtbBytes)
            report(&vm, LogLevel::warning, "a device tree of more than 2 MiB was loaded, which Linux does not take");
    } else {
        const auto kernel = boot::parse_kernel(view, Gpa{0});
        if (kernel && kernel->format != boot::KernelFormat::raw)
            return refuse(&vm, name, ": is a kernel (", boot::to_string(kernel->format), "), not a module");
        part = boot::find_initrd(view);
    }
    const auto at = aligned(address, alignment);
    if (!at || !checked_add(*at, part.size_bytes))
        return refuse(&vm, name, ": its address is impossible");
    if (load_segment(vm, name, image.contents(), {Gpa{*at}, part.offset, part.size_bytes, part.size_bytes},
                     Rest::kept) != 0)
        return -1;
    out = {*at, alignment, part.size_bytes};
    return 0;
}

} // namespace
} // namespace sel4vm::platsupport

using namespace sel4vm::platsupport;

extern "C" int vm_load_guest_kernel(vm_t *vm, const char *kernel_name, uintptr_t load_address, size_t alignment,
                                    guest_kernel_image_t *guest_kernel_image) {
    if (vm == nullptr || kernel_name == nullptr || guest_kernel_image == nullptr || !is_alignment(alignment))
        return refuse(vm, "vm_load_guest_kernel: an argument is missing, or the alignment is no power of two");
    return load_kernel(*vm, kernel_name, load_address, alignment, *guest_kernel_image);
}

extern "C" int vm_load_guest_module(vm_t *vm, const char *module_name, uintptr_t load_address, size_t alignment,
                                    guest_image_t *guest_image) {
    if (vm == nullptr || module_name == nullptr || guest_image == nullptr || !is_alignment(alignment))
        return refuse(vm, "vm_load_guest_module: an argument is missing, or the alignment is no power of two");
    return load_module(*vm, module_name, load_address, alignment, *guest_image);
}
