// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/secondary_cpu.hpp>

#include <hosts/el2/lib/sysreg.hpp>
#include <hosts/el2/mm/cache.hpp>
#include <hosts/el2/platform/machine_exit.hpp>

#include <sel4vm/arch/aarch64/psci.hpp>

#include <cstddef>

extern "C" const char sel4vm_el2_secondary_entry[];

namespace sel4vm::el2 {

namespace {

constexpr u64 kPanicStackBytes = 8 * kKiB;
constexpr u64 kGuardBytes = kPageBytes;
constexpr u64 kStackBytes = 64 * kKiB;

static_assert(offsetof(SecondaryStart, ttbr) == 16 && offsetof(SecondaryStart, stack_top) == 32);

} // namespace

SecondaryCpu::SecondaryCpu(Host &host, u64 affinity, const ProcessorSetup &setup)
    : host_(host), affinity_(affinity), setup_(setup), gic_(host.platform().gic) {
    setup_.waits_for_notifications = false; // they come to the boot CPU
}

Status<HostError> SecondaryCpu::start() {
    const auto memory = host_.pages().allocate(kPanicStackBytes + kGuardBytes + kStackBytes);
    if (!memory)
        return Err{HostError{HostErrorKind::out_of_memory}};
    const u64 guard = memory->value() + kPanicStackBytes;
    host_.map().unmap(*HostPhysRange::make(HostPhys{guard}, kGuardBytes));
    local_.panic_stack_top = guard;
    local_.stack_limit = guard + kGuardBytes;
    local_.stack_top = local_.stack_limit + kStackBytes;
    local_.printer = CpuLocal::current()->printer;
    start_ = {SEL4VM_READ_SYSREG(mair_el2),
              SEL4VM_READ_SYSREG(tcr_el2),
              SEL4VM_READ_SYSREG(ttbr0_el2),
              SEL4VM_READ_SYSREG(sctlr_el2),
              local_.stack_top,
              reinterpret_cast<uptr>(this)};
    clean_to_memory(reinterpret_cast<uptr>(&start_), sizeof(start_));

    const u64 answer =
        firmware_call(host_.platform().psci, aarch64::psci::kCpuOn64, affinity_,
                      reinterpret_cast<uptr>(sel4vm_el2_secondary_entry), reinterpret_cast<uptr>(&start_));
    const u64 asked_at = host_.clock().now_ticks();
    if (answer == 0) {
        while (stage_.load(std::memory_order_acquire) == Stage::off) {
            asm volatile("yield");
            if (host_.clock().now_ticks() - asked_at > host_.clock().ticks_per_second())
                return Err{HostError{HostErrorKind::not_available}};
        }
        return Ok{};
    }
    return Err{HostError{HostErrorKind::not_available}};
}

void SecondaryCpu::begin(Work &work) {
    work_.store(&work, std::memory_order_release);
    dsb_ish();
    asm volatile("sev");
}

void SecondaryCpu::wait_until_done() const {
    while (stage_.load(std::memory_order_acquire) != Stage::done)
        asm volatile("yield");
}

void SecondaryCpu::main() {
    local_.sctlr_el1 = SEL4VM_READ_SYSREG(sctlr_el1);
    CpuLocal::set_current(local_);
    gic_.initialise();
    local_.gic = &gic_;
    processor_.emplace(gic_, interrupts_, setup_);
    stage_.store(Stage::ready, std::memory_order_release);
    while (work_.load(std::memory_order_acquire) == nullptr)
        asm volatile("wfe" ::: "memory");
    work_.load(std::memory_order_relaxed)->run_on(*this);
    stage_.store(Stage::done, std::memory_order_release);
    halt();
}

} // namespace sel4vm::el2

extern "C" [[noreturn]] void sel4vm_el2_secondary_main(sel4vm::el2::SecondaryCpu *cpu) { cpu->main(); }
