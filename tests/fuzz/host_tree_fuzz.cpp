// SPDX-License-Identifier: BSD-2-Clause
//
// Any bytes as the device tree that a boot loader gives the el2 host: refused with a sentence, or facts that a driver may rely on.
#include <hosts/el2/portable/platform_info.hpp>

#include <algorithm>
#include <cstdlib>
#include <vector>

using namespace sel4vm;
using namespace sel4vm::el2;

namespace {

void require(bool condition) {
    if (!condition)
        std::abort();
}

bool inside(const std::vector<u64> &storage, const void *at, usize size) {
    const auto *base = reinterpret_cast<const u8 *>(storage.data());
    const auto *bytes = static_cast<const u8 *>(at);
    return size == 0 || (bytes >= base && bytes + size <= base + storage.size() * 8);
}

void check(const PlatformInfo &info, const std::vector<u64> &storage) {
    require(!info.ram.empty() && !info.cpus.empty());
    for (usize i = 0; i < info.ram.size(); ++i) {
        require(info.ram[i].is_aligned_to(kPageBytes) && info.ram[i].end().value() <= u64{1} << 48);
        for (usize j = 0; j < i; ++j)
            require(!info.ram[i].overlaps(info.ram[j]));
    }
    for (const auto &range : info.reserved)
        require(range.is_aligned_to(kPageBytes));
    require(info.uart.registers.has_value() && info.uart.register_shift <= 3);
    require(!info.uart.irq || (info.uart.irq->intid >= 16 && info.uart.irq->intid < 1020));
    require(info.gic.distributor.has_value() && info.gic.maintenance->intid < 32);
    if (info.gic.version == GicVersion::v2)
        require(info.gic.cpu_interface && info.gic.hypervisor && info.gic.virtual_interface);
    else
        require(!info.gic.redistributors.empty());
    for (const u32 intid : {info.timer.physical, info.timer.virt, info.timer.hypervisor})
        require(intid >= 16 && intid < 32);
    require(inside(storage, info.bootargs.data(), info.bootargs.size()));
    require(inside(storage, info.model.data(), info.model.size()));
    require(inside(storage, info.rng_seed.data(), info.rng_seed.size()));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    std::vector<u64> storage((size + 7) / 8);
    std::copy_n(data, size, reinterpret_cast<u8 *>(storage.data()));
    auto tree = DeviceTree::open({reinterpret_cast<const u8 *>(storage.data()), size});
    if (!tree) {
        require(!tree.error().message.view().empty());
        return 0;
    }
    PlatformInfo info;
    auto done = info.read_console(*tree);
    if (done)
        done = info.read_machine(*tree);
    if (done)
        check(info, storage);
    else
        require(!done.error().message.view().empty());
    return 0;
}
