// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/placement.hpp>
#include <apps/sel4vm/text.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <sel4vm/machine/arm/device_tree.hpp>
#include <sel4vm/machine/image_placement.hpp>
#include <vector>

namespace sel4vm::cli {
namespace {

using machine::ImageKind;

/// Seeds whose value does not matter.
class Zeros final : public Entropy {
public:
    [[nodiscard]] Status<HostError> fill(std::span<u8> out) override {
        std::fill(out.begin(), out.end(), u8{0});
        return Ok{};
    }
};

class Placement {
public:
    Placement(const System &system, usize index, const LoadedImages &images, Mistakes &mistakes)
        : system_(system), vm_(system.description.vms[index]), index_(index), images_(images), mistakes_(mistakes) {}

    void judge() {
        const std::vector<std::span<const u8>> blobs(images_.blobs.begin(), images_.blobs.end());
        machine::ImagePlacement placement(vm_, blobs);
        if (const auto read = placement.read_kernel(); !read) {
            mistakes_.expected(origin(ImageKind::kernel),
                               fmt::format("a kernel, but it {}", boot::describe(read.error()).view()));
            return;
        }
        judge_contents(placement.request().kernel);
        const auto layout = boot::plan_layout(placement.request());
        if (!layout)
            complain(layout.error());
        judge_device_tree(layout, placement.request());
    }

private:
    void judge_contents(const boot::KernelImage *kernel) {
        if (kernel == nullptr)
            return;
        if (const auto checked = boot::check_contents(*kernel, blob(*vm_.image(ImageKind::kernel))); !checked)
            mistakes_.expected(origin(ImageKind::kernel),
                               fmt::format("a kernel, but it {}", boot::describe(checked.error()).view()));
    }

    void judge_device_tree(const Result<boot::Layout, boot::LayoutError> &layout, const boot::LayoutRequest &request) {
        // With seeds, as on the target: they count.
        Zeros entropy;
        machine::DeviceTreeInputs inputs;
        inputs.entropy = &entropy;
        if (layout)
            inputs.initrd = layout->initrd;
        const auto *record = vm_.image(ImageKind::dtb);
        const auto own = record != nullptr ? blob(*record) : std::span<const u8>{};
        std::vector<u64> buffer((own.size() + machine::kDeviceTreeBufferBytes) / sizeof(u64) +
                                1); // aligned as it must be
        // SAFETY: any object may be written as bytes.
        const std::span<u8> bytes(reinterpret_cast<u8 *>(buffer.data()), buffer.size() * sizeof(u64));
        const auto tree = record != nullptr ? machine::adapt_device_tree(own, vm_, inputs, bytes)
                                            : machine::write_device_tree(vm_, inputs, bytes);
        if (!tree) {
            mistakes_.expected(record != nullptr ? origin(ImageKind::dtb) : key(""),
                               fmt::format("a device tree, but it {}", boot::to_string(tree.error())));
            return;
        }
        if (!layout)
            return;
        if (const auto accepted = boot::accepts_dtb(*layout, request, tree->size()); !accepted)
            complain(accepted.error());
        else if (*accepted && record != nullptr && tree->size() > boot::kLargestLinuxDtbBytes)
            mistakes_.warn(origin(ImageKind::dtb),
                           fmt::format("it has {} bytes with what is filled in; Linux takes at most {}", tree->size(),
                                       size_text(boot::kLargestLinuxDtbBytes)));
    }

    void complain(const boot::LayoutError &error) {
        using Kind = boot::LayoutErrorKind;
        const std::string why(boot::describe(error).view());
        switch (error.kind) {
        case Kind::no_memory:
        case Kind::kernel_outside_ram:
        case Kind::initrd_does_not_fit:
        case Kind::dtb_does_not_fit: mistakes_.expected(key(".memory[0].size"), "more memory: " + why); return;
        case Kind::kernel_overlaps:
            mistakes_.expected(origin(ImageKind::kernel), "room for the kernel, but " + why);
            return;
        case Kind::initrd_overlaps:
            mistakes_.expected(origin(ImageKind::initrd), "room for the initrd, but " + why);
            return;
        case Kind::dtb_too_large:
            mistakes_.expected(origin(ImageKind::dtb),
                               fmt::format("a device tree of at most {}, which is what Linux takes, but with what is "
                                           "filled in it has {} bytes",
                                           size_text(error.available), error.needed));
            return;
        case Kind::dtb_overlaps:
            mistakes_.expected(origin(ImageKind::dtb), "room for the device tree, but " + why);
            return;
        }
    }

    [[nodiscard]] Origin key(const std::string &rest) const {
        return system_.origin_of(fmt::format("vm[{}]{}", index_, rest));
    }

    [[nodiscard]] Origin origin(ImageKind kind) const {
        for (const ImageSource &source : system_.images)
            if (source.vm == index_ && vm_.images[source.image].kind == kind)
                return source.origin;
        return key("");
    }

    [[nodiscard]] std::span<const u8> blob(const machine::ImageRecord &record) const {
        return images_.blobs[record.blob];
    }

    const System &system_;
    const machine::MachineDescription &vm_;
    usize index_;
    const LoadedImages &images_;
    Mistakes &mistakes_;
};

} // namespace

void judge_placement(const System &system, usize vm_index, const LoadedImages &images, Mistakes &mistakes) {
    Placement(system, vm_index, images, mistakes).judge();
}

} // namespace sel4vm::cli
