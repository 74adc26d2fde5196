// SPDX-License-Identifier: BSD-2-Clause
//
// The bare-metal host as an application sees it: everything that the platform offers, in one object on the boot CPU's stack. The
// application is one function, app_main, linked to the host.
#pragma once

#include <hosts/el2/boot/panic.hpp>
#include <hosts/el2/mm/guest_space.hpp>
#include <hosts/el2/mm/heap.hpp>
#include <hosts/el2/mm/page_allocator.hpp>
#include <hosts/el2/mm/shared_ram.hpp>
#include <hosts/el2/platform/console.hpp>
#include <hosts/el2/platform/gic.hpp>
#include <hosts/el2/platform/interrupts.hpp>
#include <hosts/el2/platform/services.hpp>
#include <hosts/el2/portable/platform_info.hpp>

#include <span>
#include <string_view>

namespace sel4vm::el2 {

/// How the machine is left: PSCI SYSTEM_OFF, or an emulator's semihosting, which can carry an exit status.
enum class ExitMethod : u8 { psci, semihosting };

class Host {
public:
    Host(const PlatformInfo &platform, const DeviceTree &tree, Console &console, HostMap &map, PageAllocator &pages,
         std::span<const u8> bundle);
    Host(const Host &) = delete;
    Host &operator=(const Host &) = delete;

    [[nodiscard]] const PlatformInfo &platform() const { return platform_; }
    /// The machine's; read before the first guest runs, since libfdt uses SIMD registers.
    [[nodiscard]] const DeviceTree &tree() const { return tree_; }
    [[nodiscard]] Console &console() { return console_; }
    [[nodiscard]] ConsoleLog &log() { return log_; }
    [[nodiscard]] CounterClock &clock() { return clock_; }
    [[nodiscard]] HostEntropy &entropy() { return entropy_; }
    [[nodiscard]] PageAllocator &pages() { return pages_; }
    [[nodiscard]] SharedRam &shared_ram() { return shared_ram_; }
    [[nodiscard]] Heap &heap() { return heap_; }
    [[nodiscard]] HostMap &map() { return map_; }
    [[nodiscard]] Gic &gic() { return gic_; }
    [[nodiscard]] Interrupts &interrupts() { return interrupts_; }

    /// The bundle: bytes appended to the image file, else the boot loader's initrd, else empty. Readable for good.
    [[nodiscard]] std::span<const u8> bundle() const { return bundle_; }
    /// The boot loader's command line for the host.
    [[nodiscard]] std::string_view bootargs() const { return platform_.bootargs; }
    /// True when `word` stands alone in the command line.
    [[nodiscard]] bool has_bootarg(std::string_view word) const { return platform_.has_bootarg(word); }
    /// What the console's input is like: docs/console.md.
    [[nodiscard]] InputFlow input_flow() const {
        return has_bootarg("input=held") ? InputFlow::held : InputFlow::typed;
    }

    /// A new, empty guest-physical address space with a VMID of its own, in the heap.
    [[nodiscard]] Result<Owned<GuestSpace>, HostError> make_guest_space();

    /// What a panic prints besides its reason; nullptr: nothing.
    void set_panic_report(PanicPrinter::Report *report);
    void set_exit_method(ExitMethod method) { exit_method_ = method; }
    /// Leaves the machine; 0 is success. PSCI cannot carry a status, so another one is also said on the console.
    [[noreturn]] void exit(int status);

private:
    const PlatformInfo &platform_;
    const DeviceTree &tree_;
    Console &console_;
    HostMap &map_;
    PageAllocator &pages_;
    SharedRam shared_ram_{pages_};
    Heap heap_;
    ConsoleLog log_;
    CounterClock clock_;
    HostEntropy entropy_;
    Gic gic_;
    Interrupts interrupts_;
    VmidPool vmids_;
    Stage2Config stage2_;
    std::span<const u8> bundle_;
    ExitMethod exit_method_ = ExitMethod::psci;
};

/// The application. What it returns is the exit status of the run.
int app_main(Host &host);

} // namespace sel4vm::el2
