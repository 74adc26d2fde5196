// SPDX-License-Identifier: BSD-2-Clause
//
// Images: where they go is decided once, when the VM is built; they are copied at every start.
#include <sel4vm/machine/arm/virt_machine.hpp>

#include <sel4vm/machine/arm/device_tree.hpp>
#include <sel4vm/machine/image_placement.hpp>

#include <algorithm>

namespace sel4vm::machine {

namespace {

std::string_view key_of(ImageKind kind) {
    switch (kind) {
    case ImageKind::kernel: return "kernel";
    case ImageKind::initrd: return "initrd";
    case ImageKind::dtb: return "dtb";
    case ImageKind::firmware: return "firmware";
    case ImageKind::rom: return "images";
    case ImageKind::raw: return "images";
    case ImageKind::disk: return "disk";
    case ImageKind::flash: return "flash";
    }
    return "?";
}

} // namespace

Status<BuildError> VirtMachine::add_load(Gpa at, std::span<const u8> bytes, std::string_view key) {
    if (bytes.empty())
        return Ok{};
    if (!vm_.memory().contains(at, bytes.size()))
        return Err{build_error(key, "it does not lie in the guest's memory")};
    if (loads_.emplace_back(Load{at, bytes}) == nullptr)
        return Err{build_error(key, "too many pieces to load")};
    costs_.images_bytes += bytes.size();
    return Ok{};
}

Status<BuildError> VirtMachine::place_images() {
    for (const ImageRecord &image : description_.images) {
        if (image.blob >= blobs_.size() || blobs_[image.blob].size() != image.size_bytes)
            return Err{build_error(key_of(image.kind), "the bundle lacks its bytes")};
        if (const auto range = fixed_range(image)) {
            if (auto added = add_load(range->base(), blobs_[image.blob], key_of(image.kind)); !added)
                return added;
        }
    }
    ImagePlacement placement(description_, blobs_);
    if (const auto read = placement.read_kernel(); !read)
        return Err{build_error("kernel", boot::describe(read.error()).view())};
    const boot::LayoutRequest &request = placement.request();
    const auto layout = boot::plan_layout(request);
    if (!layout)
        return Err{build_error("", boot::describe(layout.error()).view())};

    if (const ImageRecord *record = description_.image(ImageKind::kernel);
        record != nullptr && request.kernel != nullptr) {
        const std::span<const u8> bytes = blobs_[record->blob];
        for (const boot::Segment &segment : request.kernel->segments) {
            if (auto added = add_load(segment.at, bytes.subspan(segment.file_offset, segment.file_bytes), "kernel");
                !added)
                return added;
        }
    }
    if (const ImageRecord *record = description_.image(ImageKind::initrd); record != nullptr && layout->initrd) {
        if (auto added = add_load(layout->initrd->base(), boot::initrd_contents(blobs_[record->blob]), "initrd");
            !added)
            return added;
    }
    entry_ = {description_.entry.value_or(layout->entry).value(), layout->argument};
    return place_device_tree(*layout, request);
}

Status<BuildError> VirtMachine::place_device_tree(const boot::Layout &layout, const boot::LayoutRequest &request) {
    const DeviceTreeInputs inputs{layout.initrd,        &host_.entropy,         host_.firmware_conduit,
                                  host_.passed.devices, host_.passed.host_tree, has_pmu()};
    const ImageRecord *own = description_.image(ImageKind::dtb);
    const usize own_bytes = own != nullptr ? blobs_[own->blob].size() : 0;
    constexpr const char *kNoMemory = "the host has no memory left for it";
    auto buffer = OwnedArray<u8>::make(host_.allocator, kDeviceTreeBufferBytes + own_bytes);
    if (!buffer)
        return Err{build_error("dtb", kNoMemory)};
    const auto written = own != nullptr ? adapt_device_tree(blobs_[own->blob], description_, inputs, buffer.view())
                                        : write_device_tree(description_, inputs, buffer.view());
    if (!written)
        return Err{build_error("dtb", boot::to_string(written.error()))};
    // It is kept for each start: no more of the host's memory than it needs.
    device_tree_ = OwnedArray<u8>::make(host_.allocator, written->size());
    if (!device_tree_)
        return Err{build_error("dtb", kNoMemory)};
    std::copy(written->begin(), written->end(), device_tree_.begin());
    buffer = {};
    const std::span<u8> tree = device_tree_.view();
    const auto accepted = boot::accepts_dtb(layout, request, tree.size());
    if (!accepted)
        return Err{build_error("dtb", boot::describe(accepted.error()).view())};
    if (!*accepted)
        return Ok{};
    if (tree.size() > boot::kLargestLinuxDtbBytes)
        host_.log.line(LogLevel::warning, description_.name,
                       "its device tree has more than 2 MiB, which Linux does not take");
    if (layout.dtb.outside_ram) {
        const auto range = GpaRange::make(layout.dtb.at, align_up(tree.size(), kPageBytes).value_or(0));
        const auto added = range ? vm_.add_memory(*range, RegionKind::rom) : Err{RegionError::out_of_range};
        if (!added && layout.dtb.optional && added.error() == RegionError::too_many)
            return Ok{}; // it goes without, as where something else is in the way
        if (!added)
            return Err{build_error("dtb", "the host could not make the read-only memory that it goes to")};
    }
    seeds_ = find_seeds(tree);
    return add_load(layout.dtb.at, tree, "dtb");
}

void VirtMachine::refresh_seeds() {
    // The first start uses what the tree was made with.
    for (const std::span<u8> seed : seeds_) {
        if (!host_.entropy.fill(seed))
            std::fill(seed.begin(), seed.end(), u8{0});
    }
}

BootStep VirtMachine::prepare_boot(Vm &vm, BootCall call) {
    if (call == BootCall::first) {
        forget_panics();
        boot_ = {};
        boot_.ram_is_clear = !started_; // as it was made
        if (started_)
            refresh_seeds();
        started_ = true;
        start_pv_time();
    }
    if (!boot_.ram_is_clear) {
        boot_.ram_is_clear = vm.memory().clear_ram(boot_.cleared, kBootStepBytes);
        return BootStep::more();
    }
    return load_images(vm.memory());
}

BootStep VirtMachine::load_images(GuestMemory &memory) {
    u64 left = kBootStepBytes;
    while (boot_.load < loads_.size()) {
        const Load &load = loads_[boot_.load];
        const std::span<const u8> rest = load.bytes.subspan(boot_.loaded);
        const std::span<const u8> part = rest.first(std::min<u64>(rest.size(), left));
        if (!memory.load_image(Gpa{load.at.value() + boot_.loaded}, part))
            return BootStep::failed();
        left -= part.size();
        boot_.loaded += part.size();
        if (part.size() < rest.size())
            return BootStep::more();
        ++boot_.load;
        boot_.loaded = 0;
    }
    set_counter_offset(description_.counter == CounterPolicy::host ? 0 : host_.clock.now_ticks());
    return BootStep::ready(entry_);
}

void VirtMachine::set_counter_offset(u64 ticks) {
    for (const aarch64::VcpuPorts &ports : host_.vcpus) {
        if (ports.timer != nullptr)
            ports.timer->set_counter_offset(ticks);
    }
    platform_.set_counter_offset(ticks);
    counter_offset_ = ticks;
}

void VirtMachine::paused(Vm &) { paused_at_ = host_.clock.now_ticks(); }

void VirtMachine::resuming(Vm &) {
    if (description_.counter == CounterPolicy::running)
        set_counter_offset(counter_offset_ + (host_.clock.now_ticks() - paused_at_));
}

void VirtMachine::stopped(Vm &, StopReason) {
    forget_panics();
    if (!passed_irqs_.empty())
        platform_.gic()->release_physical();
}

void VirtMachine::forget_panics() {
    for (Device &device : devices_) {
        if (device.watch)
            device.watch->forget();
    }
}

} // namespace sel4vm::machine
