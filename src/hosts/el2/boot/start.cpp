// SPDX-License-Identifier: BSD-2-Clause
//
// From the first C++ instruction to the application: find the device tree, map what is needed to read it, find a console, then
// everything else. The MMU is off until HostMap::enable(), so nothing before it may need unaligned accesses.
#include <hosts/el2/boot/cpu_local.hpp>
#include <hosts/el2/boot/image_layout.hpp>
#include <hosts/el2/boot/panic.hpp>
#include <hosts/el2/host.hpp>
#include <hosts/el2/mm/cache.hpp>
#include <hosts/el2/mm/host_map.hpp>
#include <hosts/el2/platform/machine_exit.hpp>

#include <sel4vm/base/bits.hpp>
#include <sel4vm/base/text.hpp>

#include <algorithm>

namespace sel4vm::el2 {
namespace {

constexpr u64 kImageSizeAt = 16;

// SAFETY: the caller knows that memory of this size is there; it is mapped at its own address, or nothing is mapped yet.
std::span<const u8> bytes_at(u64 base, u64 size_bytes) {
    return {reinterpret_cast<const u8 *>(base), static_cast<usize>(size_bytes)};
}

u64 tree_size_at(u64 base) { return is_aligned(base, 8) ? DeviceTree::claimed_size(bytes_at(base, 8)) : 0; }

/// x0 by the boot protocol. A loader of ELF files passes none: QEMU then leaves the tree at the start of RAM, which is somewhere
/// below the image in its gigabyte.
std::optional<HostPhysRange> find_tree(u64 x0) {
    if (x0 != 0 && tree_size_at(x0) != 0)
        return HostPhysRange::make(HostPhys{x0}, tree_size_at(x0));
    const u64 image = align_down(address_of_symbol(__image_start), 2 * kMiB);
    for (u64 at = image; at > align_down(image, kGiB);) {
        at -= 2 * kMiB;
        if (tree_size_at(at) != 0)
            return HostPhysRange::make(HostPhys{at}, tree_size_at(at));
    }
    return std::nullopt;
}

HostPhysRange whole_pages(HostPhysRange range) {
    const u64 base = align_down(range.base().value(), kPageBytes);
    return *HostPhysRange::make(HostPhys{base}, *align_up(range.end().value(), kPageBytes) - base);
}

void must_map(HostMap &map, const std::optional<HostPhysRange> &range, HostMemory kind) {
    if (range)
        SEL4VM_ASSERT(map.map(whole_pages(*range), kind).has_value());
}

void map_image(HostMap &map) {
    must_map(map, between_symbols(__image_start, __rodata_start), HostMemory::code);
    must_map(map, between_symbols(__rodata_start, __data_start), HostMemory::constants);
    must_map(map, between_symbols(__data_start, __stack_guard), HostMemory::data);
    must_map(map, between_symbols(__stack_bottom, __image_end), HostMemory::data);
}

void map_devices(HostMap &map, const PlatformInfo &platform) {
    must_map(map, platform.gic.distributor, HostMemory::device);
    must_map(map, platform.gic.cpu_interface, HostMemory::device);
    must_map(map, platform.gic.hypervisor, HostMemory::device);
    for (const HostPhysRange &region : platform.gic.redistributors)
        must_map(map, region, HostMemory::device);
    must_map(map, platform.rtc, HostMemory::device);
}

/// What the tool appended to the image: the header's image_size says how far the file goes.
std::optional<HostPhysRange> appended_range() {
    const u64 image = address_of_symbol(__image_start);
    const u64 linked = static_cast<u64>(__image_end - __image_start);
    // SAFETY: the header is the image's first 64 bytes; volatile, as it is not what the compiler saw.
    const u64 said = *reinterpret_cast<const volatile u64 *>(image + kImageSizeAt);
    if (said <= linked || said > u64{1} << 40)
        return std::nullopt;
    return HostPhysRange::make(HostPhys{image + linked}, said - linked);
}

bool is_in_ram(const PlatformInfo &platform, HostPhysRange range) {
    return std::any_of(platform.ram.begin(), platform.ram.end(),
                       [&](const HostPhysRange &ram) { return ram.contains(range); });
}

/// Gives every free page of RAM to the allocator: from each range, in address order, what no reservation covers.
void add_free_memory(PageAllocator &pages, const PlatformInfo &platform, std::span<const HostPhysRange> taken) {
    for (const HostPhysRange &ram : platform.ram) {
        u64 at = ram.base().value();
        const u64 end = ram.end().value();
        while (at < end) {
            u64 next = end;  // start of the first reservation at or after `at`
            u64 resume = at; // where the reservations that cover `at` end
            const auto look = [&](const HostPhysRange &r) {
                if (r.contains(HostPhys{at}))
                    resume = std::max(resume, r.end().value());
                else if (r.base().value() > at)
                    next = std::min(next, r.base().value());
            };
            std::for_each(platform.reserved.begin(), platform.reserved.end(), look);
            std::for_each(taken.begin(), taken.end(), look);
            if (resume != at) {
                at = resume;
                continue;
            }
            pages.add(*HostPhysRange::make(HostPhys{at}, next - at));
            at = next;
        }
    }
}

[[noreturn]] void run(HostMap &map, CpuLocal &local, HostPhysRange tree_range) {
    auto tree = DeviceTree::open(bytes_at(tree_range.base().value(), tree_range.size()));
    if (!tree)
        halt(); // without a tree there is no console to say so
    PlatformInfo platform;
    auto console_found = platform.read_console(*tree);
    if (!console_found)
        system_off(platform.psci); // nobody would hear why; a machine that goes off is noticed
    must_map(map, platform.uart.registers, HostMemory::device);
    Console console(platform.uart);
    PanicPrinter printer(console, platform.psci,
                         platform.has_bootarg("console=marked") ? PanicLines::marked : PanicLines::plain);
    local.printer = &printer;

    if (!at_el2())
        give_up("started at EL1, but a hypervisor needs EL2 (QEMU: -M virt,virtualization=on)");
    if (auto read = platform.read_machine(*tree); !read)
        give_up(read.error().message.view());
    map_devices(map, platform);

    const auto appended = appended_range();
    FixedVector<HostPhysRange, 3> taken;
    for (const auto &range :
         {std::optional{whole_pages(between_symbols(__image_start, __image_end))},
          std::optional{whole_pages(tree_range)}, appended ? std::optional{whole_pages(*appended)} : appended}) {
        if (!range)
            continue;
        if (!is_in_ram(platform, *range))
            give_up("the device tree's memory does not contain the image, what is appended to it, and the tree itself");
        (void)taken.emplace_back(*range);
    }
    PageAllocator pages(map);
    map.use(pages);
    add_free_memory(pages, platform, taken.view());

    const auto bundle = appended ? appended : platform.initrd;
    must_map(map, bundle, HostMemory::constants);
    Host host(platform, *tree, console, map, pages,
              bundle ? bytes_at(bundle->base().value(), bundle->size()) : std::span<const u8>{});
    host.exit(app_main(host));
}

} // namespace
} // namespace sel4vm::el2

/// Called by entry.S on the boot stack, MMU off.
extern "C" [[noreturn]] void sel4vm_el2_start(sel4vm::u64 x0) {
    using namespace sel4vm;
    using namespace sel4vm::el2;
    CpuLocal local;
    local.stack_limit = address_of_symbol(__stack_bottom);
    local.stack_top = address_of_symbol(__stack_top);
    local.panic_stack_top = address_of_symbol(__panic_stack_top);
    local.sctlr_el1 = SEL4VM_READ_SYSREG(sctlr_el1);
    CpuLocal::set_current(local);

    const auto tree = find_tree(x0);
    if (!tree || tree->size() > DeviceTree::kMaxBytes)
        halt();
    // Nothing that the loader left in the caches may be written over memory later, or be read instead of it.
    clean_and_drop_all();
    HostMap map(between_symbols(__early_tables, __early_tables_end));
    map_image(map);
    must_map(map, tree, HostMemory::constants);
    drop(address_of_symbol(__image_start), static_cast<u64>(__image_end - __image_start));
    map.enable();
    run(map, local, *tree);
}
