// SPDX-License-Identifier: BSD-2-Clause
#include <sel4_host/interrupt_guest.hpp>

namespace sel4vm::sel4_double {

namespace {

using Code = std::vector<u32>;

void append(Code &code, std::initializer_list<u32> more) { code.insert(code.end(), more); }

// x26: the distributor. x27: the CPU interface of a GICv2, or the vCPU's redistributor.
void open_controller(Code &code, unsigned version) {
    if (version == 2) {
        append(code, {A64_LOAD(4U, 1U), A64_STR_W(4U, 26U, 0U), A64_LOAD(5U, 0x0800'0000U), A64_STR_W(5U, 26U, 0x40U),
                      A64_LOAD(5U, 0x100U), A64_STR_W(5U, 26U, 0x41U), A64_STRB(4U, 26U, 0x828U),
                      A64_STR_W(4U, 27U, 0U), A64_LOAD(5U, 0xf0U), A64_STR_W(5U, 27U, 1U)});
        return;
    }
    append(code, {A64_LOAD(4U, 0x12U), A64_STR_W(4U, 26U, 0U), A64_LOAD(5U, 0x100U), A64_STR_W(5U, 26U, 0x21U),
                  A64_STR_W(5U, 26U, 0x41U), A64_STR_W(A64_XZR, 27U, 5U), A64_LOAD(5U, 0x10000U),
                  A64_ADD_REG(6U, 27U, 5U), A64_LOAD(5U, 0xffff'ffffU), A64_STR_W(5U, 6U, 0x20U),
                  A64_LOAD(5U, 0x0800'0000U), A64_STR_W(5U, 6U, 0x40U), A64_LOAD(4U, 0xf0U),
                  A64_MSR(A64_ICC_PMR_EL1, 4U), A64_LOAD(4U, 1U), A64_MSR(A64_ICC_IGRPEN1_EL1, 4U), A64_ISB});
}

Code handler(unsigned version) {
    Code code = {A64_MSR(A64_CNTV_CTL_EL0, A64_XZR), A64_ISB,
                 version == 2 ? A64_LDR_W(10U, 27U, 3U) : A64_MRS(10U, A64_ICC_IAR1_EL1)};
    append(code, {A64_STR_X(10U, 2U, 0U), A64_LOAD(11U, 1U), A64_STR_X(11U, 2U, 3U),
                  version == 2 ? A64_STR_W(10U, 27U, 4U) : A64_MSR(A64_ICC_EOIR1_EL1, 10U), A64_ISB, A64_ERET});
    return code;
}

// x2: where it records.
Code program(unsigned version, InterruptGuest::Timer timer, u64 ticks, bool boot) {
    Code code = {A64_LOAD(3U, VECTORS), A64_MSR(A64_VBAR_EL1, 3U), A64_ISB};
    open_controller(code, version);
    if (timer == InterruptGuest::Timer::armed)
        append(code, {A64_MRS(4U, A64_CNTVCT_EL0), A64_LOAD(5U, static_cast<u32>(ticks)), A64_ADD_REG(4U, 4U, 5U),
                      A64_STR_X(4U, 2U, 1U), A64_MSR(A64_CNTV_CVAL_EL0, 4U), A64_LOAD(5U, 1U),
                      A64_MSR(A64_CNTV_CTL_EL0, 5U), A64_ISB});
    append(code, {A64_WFI, A64_MRS(6U, A64_CNTVCT_EL0), A64_STR_X(6U, 2U, 2U), A64_UNMASK_IRQ, A64_LDR_X(4U, 2U, 3U),
                  A64_CBZ(4U, -1)});
    if (boot)
        append(code, {A64_POWER_OFF});
    else
        append(code, {A64_WFI, A64_B(-1)});
    return code;
}

} // namespace

InterruptGuest::~InterruptGuest() {
    if (made_)
        guest_destroy(&guest);
    EXPECT_EQ(kernel().violation, "");
    vm_host_close(&host);
    EXPECT_EQ(shared().left, 0U);
}

void InterruptGuest::make(const vm_timeout_source_t *source, unsigned count) {
    vm_options_t options{};
    options.timeout_source = source;
    ASSERT_TRUE(guest_make(&guest, &t, &options));
    made_ = true;
    vcpus.push_back(guest.vcpu);
    for (unsigned n = 1; n < count; ++n)
        vcpus.push_back(vm_create_vcpu(&guest.vm, host.priority));
    ASSERT_EQ(vm_create_default_irq_controller(&guest.vm), 0);
}

void InterruptGuest::start(unsigned n, Timer timer, u64 ticks) {
    constexpr u64 kRedistributorStride = 0x20000;
    vm_vgic_config_t config{};
    ASSERT_EQ(vm_get_vgic(&guest.vm, &config), 0);
    const Code code = program(config.version, timer, ticks, n == 0);
    const Code on_interrupt = handler(config.version);
    const uintptr_t at = n == 0 ? CODE : SECOND_CODE;
    guest_load(&guest, at, code.data(), code.size());
    guest_load(&guest, VECTORS + 0x280, on_interrupt.data(), on_interrupt.size());
    seL4_UserContext context{};
    context.pc = at;
    context.x2 = RESULTS + u64{32} * n;
    context.x26 = config.distributor;
    context.x27 = config.version == 2 ? config.cpu_interface : config.redistributor + n * kRedistributorStride;
    ASSERT_EQ(vm_set_thread_context(vcpus[n], context), 0);
    ASSERT_EQ(vcpu_start(vcpus[n]), 0);
}

} // namespace sel4vm::sel4_double
