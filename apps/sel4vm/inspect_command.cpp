// SPDX-License-Identifier: BSD-2-Clause
//
// `sel4vm inspect`: what a file is, and what is inside it. Looks only; every number it prints was checked by the library's
// own readers.
#include <apps/sel4vm/commands.hpp>
#include <apps/sel4vm/describe.hpp>
#include <apps/sel4vm/file_kind.hpp>
#include <apps/sel4vm/files.hpp>
#include <apps/sel4vm/notices.hpp>
#include <apps/sel4vm/own_image.hpp>
#include <apps/sel4vm/text.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <sel4vm/base/bits.hpp>
#include <sel4vm/boot/bundle.hpp>
#include <sel4vm/boot/bytes.hpp>
#include <sel4vm/boot/image.hpp>
#include <sel4vm/machine/arm/virt_devices.hpp>
#include <sel4vm/machine/manifest.hpp>
#include <set>

namespace sel4vm::cli {
namespace {

class Inspector {
public:
    explicit Inspector(const InspectOptions &options) : options_(options), name_(shown_path(options.file)) {}

    void file(std::span<const u8> data) {
        if (const auto at = find_bundle(data)) {
            if (*at != 0)
                say("host image, {} bytes; from byte {:#x} on:", *at, *at);
            bundle(data.subspan(*at));
            return;
        }
        if (options_.notices)
            throw Failure(ExitStatus::bad_input,
                          fmt::format("{} is no image or bundle of sel4vm, so it carries no notices", name_));
        content(data);
    }

private:
    template <class... Args>
    void say(fmt::format_string<Args...> format, Args &&...args) const {
        if (!options_.notices)
            fmt::print("{}\n", fmt::format(format, std::forward<Args>(args)...));
    }

    void bundle(std::span<const u8> data) {
        const auto opened = boot::Bundle::open(data);
        const auto system = std::make_unique<machine::SystemDescription>();
        const Bytes manifest(opened->manifest().begin(), opened->manifest().end()); // aligned as its reader needs it
        say("bundle, {} bytes: manifest {} bytes, {} blobs", opened->size_bytes(), manifest.size(),
            opened->blob_count());
        if (const auto decoded = machine::decode_manifest(manifest, machine::virt_devices(), *system); !decoded)
            throw Failure(ExitStatus::bad_input,
                          fmt::format("{}: the manifest of its bundle is damaged: {} ({})", name_,
                                      machine::to_string(decoded.error().kind), decoded.error().what));
        say("{}", describe(*system));
        blobs(*opened, *system);
    }

    void blobs(const boot::Bundle &bundle, const machine::SystemDescription &system) {
        std::set<u32> used;
        for (const auto &vm : system.vms)
            for (const auto &image : vm.images)
                used.insert(image.blob);
        bool notices_found = false;
        for (u32 i = 0; i < bundle.blob_count(); ++i) {
            if (!bundle.verify_blob(i))
                throw Failure(ExitStatus::bad_input, fmt::format("{}: blob {} of its bundle is damaged", name_, i));
            const auto blob = *bundle.blob(i);
            const bool notices = !used.contains(i) && is_notices(blob);
            notices_found = notices_found || notices;
            if (notices && options_.notices)
                print_lines(blob);
            say("blob {}: {} bytes{}", i, blob.size(),
                notices ? ", third-party notices (print them with --notices)" : "");
        }
        if (options_.notices && !notices_found)
            throw Failure(ExitStatus::bad_input, fmt::format("{} carries no notices", name_));
    }

    /// The notices come from a file that anybody may have made.
    static void print_lines(std::span<const u8> blob) {
        std::string_view text(reinterpret_cast<const char *>(blob.data()), blob.size()); // SAFETY: bytes as characters
        // Licence texts begin with it. It moves nothing on a screen.
        constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
        while (!text.empty()) {
            if (text.starts_with(kByteOrderMark)) {
                fmt::print("{}", kByteOrderMark);
                text.remove_prefix(kByteOrderMark.size());
            }
            const usize end = std::min(text.find_first_of("\n\t"), text.size());
            fmt::print("{}{}", one_line(text.substr(0, end)), text.substr(end, 1));
            text.remove_prefix(std::min(end + 1, text.size()));
        }
    }

    void content(std::span<const u8> data) {
        if (is_gzip(data)) {
            auto plain = gunzip(data);
            if (!plain)
                throw Failure(ExitStatus::bad_input, fmt::format("{} {}", name_, plain.error()));
            say("gzip, {} bytes; unpacked:", data.size());
            content(*plain);
            return;
        }
        if (is_device_tree(data)) {
            say("flattened device tree, {} bytes", boot::load_be<u32>(data, 4));
            return;
        }
        if (is_cpio(data)) {
            say("cpio archive (an initrd), {} bytes", data.size());
            return;
        }
        if (is_host_image(data)) {
            say("host image of sel4vm, {} bytes, without a system", data.size());
            return;
        }
        kernel(data);
    }

    void kernel(std::span<const u8> data) {
        constexpr Gpa kRamBase = machine::MemoryRegion{}.base;
        const auto image = boot::parse_kernel(data, kRamBase);
        if (!image)
            throw Failure(ExitStatus::bad_input,
                          fmt::format("{} {}{}", name_, boot::describe(image.error()).view(),
                                      image.error().kind == boot::ImageErrorKind::text
                                          ? "; a system file is looked at by: sel4vm check " + name_
                                          : ""));
        if (const auto checked = boot::check_contents(*image, data); !checked)
            throw Failure(ExitStatus::bad_input, fmt::format("{} {}", name_, boot::describe(checked.error()).view()));
        say("{}, {} bytes, as a kernel in the memory of a VM at {:#x}:", boot::to_string(image->format), data.size(),
            kRamBase.value());
        say("  entry     {:#x}", image->entry.value());
        if (image->page_bytes != 0)
            say("  pages     {}", size_text(image->page_bytes));
        for (const boot::Segment &segment : image->segments)
            say("  segment   {:#x} to {:#x}: {} bytes from byte {:#x} of the file", segment.at.value(),
                segment.at.value() + segment.memory_bytes - 1, segment.file_bytes, segment.file_offset);
    }

    const InspectOptions &options_;
    std::string name_; // of the file
};

} // namespace

ExitStatus inspect(const InspectOptions &options) {
    const auto data = read_file(options.file);
    if (!data)
        throw Failure(ExitStatus::bad_input, fmt::format("{} {}", shown_path(options.file), data.error()));
    Inspector(options).file(*data);
    return ExitStatus::ok;
}

} // namespace sel4vm::cli
