// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/host.hpp>

#include <hosts/el2/boot/cpu_local.hpp>
#include <hosts/el2/platform/machine_exit.hpp>

#include <sel4vm/base/text.hpp>

namespace sel4vm::el2 {

Host::Host(const PlatformInfo &platform, const DeviceTree &tree, Console &console, HostMap &map, PageAllocator &pages,
           std::span<const u8> bundle)
    : platform_(platform), tree_(tree), console_(console), map_(map), pages_(pages), heap_(pages), log_(console),
      clock_(platform), entropy_(platform), gic_(platform.gic), interrupts_(gic_), stage2_(Stage2Config::of_this_cpu()),
      bundle_(bundle) {
    gic_.initialise();
    CpuLocal::current()->gic = &gic_;
    if (has_bootarg("sel4vm.exit=semihosting"))
        exit_method_ = ExitMethod::semihosting;
}

Result<Owned<GuestSpace>, HostError> Host::make_guest_space() {
    auto space = Owned<GuestSpace>::make(heap_, pages_, vmids_, stage2_);
    if (!space)
        return Err{HostError{HostErrorKind::out_of_memory}};
    if (auto done = space->create(); !done)
        return Err{done.error()};
    return space;
}

void Host::set_panic_report(PanicPrinter::Report *report) { CpuLocal::current()->printer->set_report(report); }

void Host::exit(int status) {
    if (exit_method_ == ExitMethod::semihosting) {
        console_.flush();
        semihosting_exit(static_cast<u64>(status));
    }
    if (status != 0) {
        Text<64> text;
        text << "ended with status " << status;
        log_.line(LogLevel::error, "host", text.view());
    }
    console_.flush();
    system_off(platform_.psci);
}

} // namespace sel4vm::el2
