// SPDX-License-Identifier: BSD-2-Clause
//
// Loads and stores without a syndrome, and faults raised in the guest. The kernel tells neither the faulting virtual
// address nor the instruction, so both come from the guest's own tables, walked in software over RAM of its own.
#include <hosts/sel4/endpoint_port.hpp>

#include <hosts/sel4/deliver.hpp>

#include <sel4vm/arch/aarch64/next_instruction.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/arch/aarch64/system_registers.hpp>

namespace sel4vm::sel4 {

using aarch64::AccessStep;
using aarch64::EsrEl2;
using aarch64::Stage1Result;

class GuestRegisters final : public aarch64::RegisterFile {
public:
    explicit GuestRegisters(Vcpu &vcpu) : vcpu_(vcpu) {}
    [[nodiscard]] u64 x(unsigned n) override { return vcpu_.general_register(n); }
    void set_x(unsigned n, u64 value) override { vcpu_.set_general_register(n, value); }
    [[nodiscard]] u64 sp() override {
        return uses_sp_el1() ? vcpu_.read_vcpu(seL4_VCPUReg_SP_EL1) : vcpu_.registers_.get(kWordSp);
    }
    void set_sp(u64 value) override {
        if (uses_sp_el1())
            vcpu_.write_vcpu(seL4_VCPUReg_SP_EL1, value);
        else
            vcpu_.registers_.set(kWordSp, value);
    }
    [[nodiscard]] u64 pc() override { return vcpu_.program_counter(); }
    // Out of reach; such instructions are refused before anybody asks.
    [[nodiscard]] u64 v(unsigned, unsigned) override { return 0; }
    void set_v(unsigned, unsigned, u64) override {}

private:
    [[nodiscard]] bool uses_sp_el1() {
        return (vcpu_.registers_.get(kWordPstate) & 0xf) == static_cast<u64>(aarch64::Mode::el1h);
    }
    Vcpu &vcpu_;
};

class GuestTables final : public aarch64::TableReader {
public:
    explicit GuestTables(const Vcpu &vcpu) : vcpu_(vcpu) {}
    [[nodiscard]] std::optional<u64> read(Gpa at, unsigned level) override {
        entry_ = at;
        level_ = static_cast<u8>(level);
        const volatile u8 *const bytes = vcpu_.space_.ram_at(at, sizeof(u64));
        if (bytes == nullptr)
            return std::nullopt;
        // SAFETY: eight aligned bytes of guest RAM, read once.
        return *reinterpret_cast<const volatile u64 *>(bytes);
    }

    /// Of the last one.
    [[nodiscard]] Gpa entry() const { return entry_; }
    [[nodiscard]] u8 level() const { return level_; }

private:
    const Vcpu &vcpu_;
    Gpa entry_;
    u8 level_ = 0;
};

class GuestTranslator final : public aarch64::AddressTranslator {
public:
    GuestTranslator(EndpointPort &endpoint, Vcpu &vcpu) : endpoint_(endpoint), vcpu_(vcpu) {}
    [[nodiscard]] std::optional<Gpa> translate(GuestVirt at, MemoryAccess access) override {
        const aarch64::Stage1 found = endpoint_.translate(vcpu_, at.value(), access);
        if (found.result != Stage1Result::translated || vcpu_.space_.ram_at(found.gpa, 1) != nullptr)
            return std::nullopt;
        return found.gpa;
    }

private:
    EndpointPort &endpoint_;
    Vcpu &vcpu_;
};

aarch64::Stage1 EndpointPort::translate(Vcpu &vcpu, u64 address, MemoryAccess access) {
    GuestTables tables(vcpu);
    return walk(vcpu, address, access, tables);
}

aarch64::Stage1 EndpointPort::walk(Vcpu &vcpu, u64 address, MemoryAccess access, aarch64::TableReader &tables) {
    const aarch64::Stage1Registers registers{
        .sctlr = vcpu.read_vcpu(seL4_VCPUReg_SCTLR),
        .tcr = vcpu.read_vcpu(seL4_VCPUReg_TCR),
        .ttbr0 = vcpu.read_vcpu(seL4_VCPUReg_TTBR0),
        .ttbr1 = vcpu.read_vcpu(seL4_VCPUReg_TTBR1),
    };
    const bool from_el0 = aarch64::Spsr{vcpu.registers_.get(kWordPstate)}.exception_level() == 0;
    return aarch64::walk_stage1(registers, GuestVirt{address}, access,
                                from_el0 ? aarch64::Privilege::el0 : aarch64::Privilege::el1, tables);
}

// The instruction at PC, as far as it can be read.
std::optional<u32> EndpointPort::instruction_of(Vcpu &vcpu) {
    if (aarch64::is_aarch32(vcpu.registers_.get(kWordPstate)))
        return std::nullopt;
    const u64 pc = vcpu.registers_.get(kWordPc);
    const aarch64::Stage1 at = translate(vcpu, pc, MemoryAccess::fetch);
    if (at.result != Stage1Result::translated || pc % 4 != 0)
        return std::nullopt;
    const volatile u8 *const bytes = vcpu.space_.ram_at(at.gpa, 4);
    if (bytes == nullptr)
        return std::nullopt;
    // SAFETY: four aligned bytes of guest RAM, read once; instructions are little-endian.
    return *reinterpret_cast<const volatile u32 *>(bytes);
}

EndpointPort::Outcome EndpointPort::start_sequence(Vcpu &vcpu, Event &event) {
    const std::optional<u32> instruction = instruction_of(vcpu);
    if (!instruction)
        return deliver(vcpu, Vcpu::Pending::advance,
                       MemoryExit{vcpu.fault_gpa_, 0, MemoryAccess::read, Width::b1, false}, event);
    const u64 sctlr = vcpu.read_vcpu(seL4_VCPUReg_SCTLR);
    const bool from_el0 = aarch64::Spsr{vcpu.registers_.get(kWordPstate)}.exception_level() == 0;
    const bool big_endian =
        (sctlr & (from_el0 ? u64{aarch64::SctlrEl1::E0e::mask} : u64{aarch64::SctlrEl1::Ee::mask})) != 0;
    const aarch64::AccessRequest request{
        .instruction = *instruction,
        .fault_address = std::nullopt,
        .fault_gpa = vcpu.fault_gpa_,
        .zva_bytes = zva_bytes(vcpu),
        .endianness = big_endian ? aarch64::Endianness::big : aarch64::Endianness::little,
        .exclusives = aarch64::ExclusivePolicy::refuse,
        .simd = aarch64::SimdRegisters::out_of_reach,
    };
    GuestRegisters registers(vcpu);
    GuestTranslator translator(*this, vcpu);
    const AccessStep step = vcpu.sequence_.start(request, registers, translator);
    if (step == AccessStep::access)
        return deliver(vcpu, Vcpu::Pending::sequence, vcpu.sequence_.exit(), event);
    if (step == AccessStep::refused)
        return deliver(vcpu, Vcpu::Pending::advance, vcpu.sequence_.exit(), event);
    end_sequence(vcpu, step);
    return Outcome::go_on;
}

u32 EndpointPort::zva_bytes(Vcpu &vcpu) {
    const auto identification = vcpu.system_register(aarch64::sysreg::kDczidEl0);
    return identification ? static_cast<u32>(aarch64::DczidEl0{*identification}.block_bytes()) : 64;
}

// One part was answered; the next one is delivered before this vCPU runs again.
void EndpointPort::continue_sequence(Vcpu &vcpu, u64 data) {
    GuestTranslator translator(*this, vcpu);
    const AccessStep step = vcpu.sequence_.next(data, translator);
    if (step == AccessStep::access || step == AccessStep::refused) {
        vcpu.part_pending_ = step == AccessStep::access ? Vcpu::Pending::sequence : Vcpu::Pending::advance;
        vcpu.due_ |= Vcpu::kDuePart;
        attention_.store(1, std::memory_order_relaxed);
        return;
    }
    end_sequence(vcpu, step);
}

void EndpointPort::end_sequence(Vcpu &vcpu, AccessStep step) {
    if (step == AccessStep::fault) {
        inject(vcpu, vcpu.sequence_.fault());
        return;
    }
    GuestRegisters registers(vcpu);
    vcpu.sequence_.commit(registers);
    advance(vcpu);
}

// A stage-2 fault of the guest's own table walk. The kernel's address belongs to something else; when the fetch was what failed, walking the
// tables for PC finds the entry. One that cannot be read may be memory that the core has not mapped yet; otherwise it was the walker's own store
// (access flag, dirty state) that was refused. Of a data access neither address is known.
EndpointPort::Outcome EndpointPort::on_walk_fault(Vcpu &vcpu, Event &event) {
    vcpu.walk_level_ = 0;
    if (EsrEl2{vcpu.esr_}.ec() != aarch64::Ec::instruction_abort_lower) {
        inject(vcpu, aarch64::GuestException::external_abort);
        return Outcome::go_on;
    }
    GuestTables tables(vcpu);
    const aarch64::Stage1 found = walk(vcpu, vcpu.registers_.get(kWordPc), MemoryAccess::fetch, tables);
    vcpu.walk_level_ = tables.level();
    const MemoryAccess access = found.result == Stage1Result::table_fault ? MemoryAccess::read : MemoryAccess::write;
    return deliver(vcpu, Vcpu::Pending::nothing, MemoryExit{tables.entry(), 0, access, Width::b8, false, true}, event);
}

// ---------------------------------------------------------------- Faults in the guest

void EndpointPort::inject(Vcpu &vcpu, aarch64::GuestException fault) {
    RegisterWords &registers = vcpu.registers_;
    const aarch64::ExceptionContext before{
        .pstate = registers.get(kWordPstate),
        .pc = registers.get(kWordPc),
        .vbar_el1 = vcpu.read_vcpu(seL4_VCPUReg_VBAR),
        .sctlr_el1 = vcpu.read_vcpu(seL4_VCPUReg_SCTLR),
        .far_el1 = vcpu.read_vcpu(seL4_VCPUReg_FAR),
    };
    // FAR_EL2 is not to be had: the guest hears that FAR_EL1 is not valid.
    EsrEl2 esr{vcpu.esr_};
    const aarch64::Ec ec = esr.ec();
    if (ec == aarch64::Ec::data_abort_lower || ec == aarch64::Ec::instruction_abort_lower)
        esr = EsrEl2{esr.raw() | aarch64::IssDataAbort::Fnv::mask};
    const aarch64::ExceptionEntry entry =
        enter_el1(before, aarch64::PstateFeatures{}, fault_syndrome(fault, esr, 0, before.pstate, vcpu.walk_level_));
    vcpu.write_vcpu(seL4_VCPUReg_ELR_EL1, entry.elr_el1);
    vcpu.write_vcpu(seL4_VCPUReg_SPSR_EL1, entry.spsr_el1);
    vcpu.write_vcpu(seL4_VCPUReg_ESR, entry.esr_el1);
    vcpu.write_vcpu(seL4_VCPUReg_FAR, entry.far_el1);
    registers.set(kWordPc, entry.pc);
    registers.set(kWordPstate, entry.pstate);
    vcpu.answer_by_call();
    vcpu.pending_ = Vcpu::Pending::nothing;
    vcpu.due_ &= ~u32{Vcpu::kDuePart};
    vcpu.sequence_.clear_monitor();
}

} // namespace sel4vm::sel4
