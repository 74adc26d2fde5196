// SPDX-License-Identifier: BSD-2-Clause
//
// The guest's own translation, as EL2 sees it: asking for an address, and what becomes of a walk that could not be finished. Nothing here
// answers "again": a guest whose tables do not lead anywhere gets the abort that a walk finds now, which the architecture allows, since no
// order is promised between a walk and a change of the tables.
#include <hosts/el2/vcpu/processor.hpp>

#include <hosts/el2/lib/sysreg.hpp>
#include <hosts/el2/vcpu/exit_decoding.hpp>

#include <sel4vm/arch/aarch64/exception.hpp>
#include <sel4vm/arch/aarch64/stage1_walk.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>

namespace sel4vm::el2 {

using aarch64::Ec;
using aarch64::EsrEl2;
using aarch64::FaultStatus;
using aarch64::IssDataAbort;
using aarch64::IssInstructionAbort;
using aarch64::ParEl1;
using aarch64::Spsr;
namespace sysreg = aarch64::sysreg;

namespace {

/// Remembers the last entry on one page, or the last of all.
class EntrySearch final : public aarch64::TableReader {
public:
    EntrySearch(const Stage2 &space, std::optional<Gpa> page) : space_(space), page_(page) {}
    [[nodiscard]] std::optional<u64> read(Gpa at, unsigned level_of_table) override {
        const volatile u8 *const bytes = space_.ram_at(at, sizeof(u64));
        if (!page_ || align_down(at.value(), kPageBytes) == page_->value()) {
            entry = at;
            level = static_cast<u8>(level_of_table);
            readable = bytes != nullptr;
        }
        if (bytes == nullptr)
            return std::nullopt;
        // SAFETY: eight aligned bytes of guest RAM, read once.
        return *reinterpret_cast<const volatile u64 *>(bytes);
    }
    Gpa entry;
    u8 level = 0;
    bool readable = false;

private:
    const Stage2 &space_;
    std::optional<Gpa> page_;
};

} // namespace

void Processor::search_walk(Vcpu &vcpu, u64 address, aarch64::TableReader &search) {
    const aarch64::Stage1Registers registers{
        .sctlr = vcpu.el1(el1_register(sysreg::kSctlrEl1)),
        .tcr = vcpu.el1(el1_register(sysreg::kTcrEl1)),
        .ttbr0 = vcpu.el1(el1_register(sysreg::kTtbr0El1)),
        .ttbr1 = vcpu.el1(el1_register(sysreg::kTtbr1El1)),
    };
    static_cast<void>(walk_stage1(registers, GuestVirt{address}, MemoryAccess::fetch, aarch64::Privilege::el1, search));
}

// A fetch is looked up as a read of EL1: it is allowed wherever EL0 or EL1 may execute, and reads of EL0 need not be.
ParEl1 Processor::translate(Vcpu &vcpu, u64 address, MemoryAccess access) {
    if (loaded_ != &vcpu) { // a part of a compound access that was delivered after another vCPU ran
        load(vcpu);
        attention_.store(1, std::memory_order_relaxed);
    }
    const bool as_el0 = access != MemoryAccess::fetch && Spsr{vcpu.context_.pstate}.exception_level() == 0;
    const u64 guests_par = SEL4VM_READ_SYSREG(par_el1);
    if (access == MemoryAccess::write) {
        if (as_el0)
            asm volatile("at s1e0w, %0\n isb" ::"r"(address) : "memory");
        else
            asm volatile("at s1e1w, %0\n isb" ::"r"(address) : "memory");
    } else {
        if (as_el0)
            asm volatile("at s1e0r, %0\n isb" ::"r"(address) : "memory");
        else
            asm volatile("at s1e1r, %0\n isb" ::"r"(address) : "memory");
    }
    const ParEl1 par{SEL4VM_READ_SYSREG(par_el1)};
    SEL4VM_WRITE_SYSREG(par_el1, guests_par);
    return par;
}

// The guest-physical address that the guest's own tables give. No value: they do not allow the access.
std::optional<Gpa> Processor::stage1(Vcpu &vcpu, u64 address, MemoryAccess access) {
    const ParEl1 par = translate(vcpu, address, access);
    return par.get<ParEl1::Failed>() ? std::nullopt : std::optional{par.gpa(address)};
}

// Stage 2 refused the walk for `address` an entry on `page`. One that is mapped can be read, so a permission was lacking for the walker's own
// store (access flag, dirty state), or for a walk of a device's registers (HCR_EL2.PTW).
Processor::Outcome Processor::on_walk_fault(Vcpu &vcpu, u64 address, Gpa page, FaultStatus kind, Event &event) {
    EntrySearch search(vcpu.space_, page);
    search_walk(vcpu, address, search);
    vcpu.walk_level_ = search.level;
    const Gpa entry{page.value() | (search.entry.value() & (kPageBytes - 1))};
    const MemoryAccess access = kind == FaultStatus::permission ? MemoryAccess::write : MemoryAccess::read;
    return deliver(vcpu, Vcpu::Pending::nothing, MemoryExit{entry, 0, access, Width::b8, false, true}, event);
}

// Stage 1 has no address for what the guest has just accessed by one: its tables changed in the meantime, or the TLB held what they had said
// before. It is as if the access came now.
Processor::Outcome Processor::on_lost_translation(Vcpu &vcpu, ParEl1 par, u64 address, MemoryAccess access,
                                                  Event &event) {
    const bool fetch = access == MemoryAccess::fetch;
    const u32 status = par.get<ParEl1::Stage2>() ? u32{IssDataAbort::S1ptw::mask} : par.get<ParEl1::Fst>();
    const u32 write = access == MemoryAccess::write ? u32{IssDataAbort::Wnr::mask} : 0;
    static_assert(IssDataAbort::S1ptw::mask == IssInstructionAbort::S1ptw::mask);
    const EsrEl2 abort = EsrEl2{}
                             .with<EsrEl2::Ec>(fetch ? Ec::instruction_abort_lower : Ec::data_abort_lower)
                             .with<EsrEl2::Il>(true)
                             .with<EsrEl2::Iss>(status | write);
    if (!par.get<ParEl1::Stage2>()) {
        raise(vcpu, reflected_syndrome(abort, address, vcpu.context_.pstate));
        return Outcome::go_on;
    }
    EntrySearch search(vcpu.space_, std::nullopt);
    search_walk(vcpu, address, search);
    vcpu.walk_level_ = search.level;
    vcpu.context_.esr = abort.raw();
    vcpu.fault_address_ = address;
    const MemoryAccess refused = search.readable ? MemoryAccess::write : MemoryAccess::read;
    return deliver(vcpu, Vcpu::Pending::nothing, MemoryExit{search.entry, 0, refused, Width::b8, false, true}, event);
}

} // namespace sel4vm::el2
