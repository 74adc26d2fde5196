// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/describe.hpp>
#include <apps/sel4vm/text.hpp>

#include <bit>
#include <fmt/format.h>
#include <iterator>
#include <sel4vm/machine/names.hpp>

namespace sel4vm::cli {
namespace {

using machine::name_of;

class Writer {
public:
    template <class... Args>
    void line(fmt::format_string<Args...> format, Args &&...args) {
        fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
        text += '\n';
    }
    std::string text;
};

std::string block(const machine::AddressBlock &registers) {
    return fmt::format("{:#x} to {:#x}", registers.base.value(), registers.base.value() + registers.size_bytes - 1);
}

void describe_gic(Writer &out, const machine::GicRecord &gic, u32 vcpu_count) {
    out.line("  gic       version {}, {} shared interrupts", static_cast<u32>(gic.version), gic.spi_count);
    out.line("            distributor      {}", block(gic.distributor));
    if (gic.version == machine::GicVersion::v2)
        out.line("            cpu interface    {}", block(gic.cpu_interface));
    else
        out.line("            redistributors   {}", block(gic.redistributors));
    if (gic.redistributors_left(vcpu_count) != 0)
        out.line("            more of them     {}", block(gic.more_redistributors));
    if (gic.msi.kind == machine::MsiKind::its)
        out.line("            messages         its");
    else if (gic.msi.kind != machine::MsiKind::none)
        out.line("            messages         {}, irq {} to {}", name_of(gic.msi.kind), gic.msi.first_spi,
                 gic.msi.first_spi + gic.msi.spi_count - 1);
    if (const machine::AddressBlock frame = msi_frame(gic.msi); frame.size_bytes != 0)
        out.line("            frame            {}", block(frame));
}

void describe_image(Writer &out, const machine::ImageRecord &image) {
    std::string where;
    if (image.where)
        where = fmt::format(" at {:#x}", image.where->value());
    if (image.kind == machine::ImageKind::rom || image.kind == machine::ImageKind::firmware ||
        image.kind == machine::ImageKind::disk)
        where += image.writable ? ", writable" : ", read-only";
    if (image.region_bytes != 0)
        where += fmt::format(", in {}", size_text(image.region_bytes));
    out.line("  {:<9} {} ({} bytes{})", name_of(image.kind),
             image.source.empty() ? "(no name)" : in_quotes(image.source), image.size_bytes, where);
}

std::string mac_text(const MacAddress &mac) {
    const auto &b = mac.bytes;
    return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", b[0], b[1], b[2], b[3], b[4], b[5]);
}

void describe_net(Writer &out, const machine::DeviceRecord &device, const MacAddress &mac) {
    const machine::NetRecord &net = *device.net;
    out.line("  net       {:<16} at switch {}, {}, mtu {}{}{}{}", one_line(shortened(device.name)),
             one_line(shortened(net.network)), mac_text(mac), net.mtu, net.isolated ? ", isolated" : "",
             net.mac_filter ? ", mac filter" : "",
             net.limit_bytes_per_second == 0 ? "" : fmt::format(", {} bytes a second", net.limit_bytes_per_second));
}

void describe_vm(Writer &out, const machine::MachineDescription &vm, usize index) {
    std::string cpus;
    for (u64 rest = vm.cpus; rest != 0; rest &= rest - 1)
        cpus += fmt::format("{}{}", cpus.empty() ? " on CPU " : ", ", std::countr_zero(rest));
    out.line("vm {}: {} vCPU{}{}", in_quotes(vm.name), vm.vcpu_count, vm.vcpu_count == 1 ? "" : "s", cpus);
    if (const machine::CpuTopology &topology = vm.topology; topology.sockets != 0)
        out.line("  cpus      sockets: {}, clusters: {}, cores: {}, threads: {}", topology.sockets, topology.clusters,
                 topology.cores, topology.threads);
    if (vm.budget.budget_us != 0)
        out.line("  budget    {} of {} us, priority {}", vm.budget.budget_us, vm.budget.period_us, vm.priority);
    for (const machine::MemoryRegion &region : vm.memory)
        out.line("  memory    {} at {:#x} ({}{})", size_text(region.size_bytes), region.base.value(),
                 name_of(region.kind), region.one_to_one ? ", one to one" : "");
    for (const machine::ImageRecord &image : vm.images)
        describe_image(out, image);
    if (vm.flash)
        out.line("  flash     {}, {}, {}", block({vm.flash->base, machine::kFlashBankBytes}),
                 vm.flash->image ? "from the image above" : "erased", vm.flash->writable ? "writable" : "read-only");
    if (!vm.cmdline.empty())
        out.line("  cmdline   {}", in_quotes(vm.cmdline));
    describe_gic(out, vm.gic, vm.vcpu_count);
    for (const machine::DeviceRecord &device : vm.devices) {
        if (device.slot)
            out.line("  device    {:<16} pci slot {}, {}", one_line(shortened(device.name)), *device.slot,
                     device.kind->type);
        else
            out.line("  device    {:<16} {}, {}, irq {} ({})", one_line(shortened(device.name)),
                     block(device.registers), device.kind->type, device.spi, name_of(device.trigger));
        if (!device.machine_disk.empty())
            out.line("            disk of the machine '{}'{}", one_line(device.machine_disk),
                     device.read_only ? ", read-only" : "");
    }
    for (usize i = 0; i < vm.devices.size(); ++i)
        if (vm.devices[i].net)
            describe_net(out, vm.devices[i], mac_of(*vm.devices[i].net, index, i));
    for (const machine::SharedRecord &shared : vm.shared) {
        const u64 base = shared.base.value_or(Gpa{0}).value();
        out.line("  shared    {:<16} {:#x} to {:#x} ({}), side {}, doorbell at {:#x}, irq {}",
                 one_line(shortened(shared.name)), base, base + shared.size_bytes - 1, name_of(shared.access),
                 shared.side, shared.doorbell.value_or(Gpa{0}).value(), shared.spi.value_or(0));
    }
    for (const machine::PassthroughRecord &device : vm.passthrough)
        out.line("  given     {}", one_line(shortened(device.node)));
    out.line("  on reset  {}; on panic: {}; counter: {}", name_of(vm.on_reset), name_of(vm.on_panic),
             name_of(vm.counter));
    if (!vm.pv_time)
        out.line("  pv time   hidden");
    if (vm.pmu != machine::PmuPolicy::where_possible)
        out.line("  pmu       {}", name_of(vm.pmu));
    if (vm.entry)
        out.line("  entry     {:#x}", vm.entry->value());
}

} // namespace

std::string describe(const machine::SystemDescription &system) {
    Writer out;
    out.line("system: log level {}, time slice {} us, ends by {}", name_of(system.log_level), system.time_slice_us,
             name_of(system.exit_method));
    for (const machine::SwitchRecord &record : system.switches)
        out.line("switch {}", in_quotes(record.name));
    for (usize i = 0; i < system.vms.size(); ++i)
        describe_vm(out, system.vms[i], i);
    return out.text;
}

} // namespace sel4vm::cli
