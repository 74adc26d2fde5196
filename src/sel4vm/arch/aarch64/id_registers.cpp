// SPDX-License-Identifier: BSD-2-Clause
//
// The allow-list behind guest_id_register(). A row names a field and the most that a guest may be told of it; a guest
// sees the smaller of that and the host's value. Hidden on purpose, because using them needs state or traps that hosts do
// not provide: pointer authentication, SVE, SME, MTE, SPE, trace, AMU, MPAM, RAS, NMI, LORegions, EL2 and EL3; and the PMU, unless the host lends it.
#include <sel4vm/arch/aarch64/id_registers.hpp>

#include <sel4vm/arch/aarch64/id_register_layouts.hpp>
#include <sel4vm/arch/aarch64/pmu_registers.hpp>

#include <algorithm>
#include <array>
#include <span>

namespace sel4vm::aarch64 {

namespace {

/// How a field's values are ordered.
enum class Order : u8 {
    ascending,  ///< 0 is absent, larger includes smaller
    signed_,    ///< the same, two's complement: 0xf is absent
    gic_system, ///< 1 where the guest has a GICv3, else 0
    monitors,   ///< ascending where the guest has performance monitors, else 0; 0xf is absent, too
};

struct Field {
    /// The name is for the reader of this table, and not kept.
    consteval Field(const char *, u8 its_shift, u8 its_most, Order its_order = Order::ascending)
        : shift(its_shift), most(its_most), order(its_order) {}
    u8 shift;
    u8 most;
    Order order;
};

constexpr u8 kAny = 0xf;          ///< ascending: whatever the host has
constexpr u8 kSignedAbsent = 0xf; ///< signed: never present

constexpr Field kAa64pfr0[] = {
    {"EL0", 0, 2},
    {"EL1", 4, 1}, // no AArch32 EL1
    {"FP", 16, 1, Order::signed_},
    {"AdvSIMD", 20, 1, Order::signed_},
    {"GIC", 24, 1, Order::gic_system},
    {"DIT", 48, 1},
    {"CSV2", 56, 1}, // 2 adds SCXTNUM_ELx
    {"CSV3", 60, 1},
};
constexpr Field kAa64pfr1[] = {{"BT", 0, 1}, {"SSBS", 4, 2}};
// The least debug that Armv8 allows: two breakpoints, two watchpoints, one context comparison.
constexpr Field kAa64dfr0[] = {{"DebugVer", 0, 6},
                               {"BRPs", 12, 1},
                               {"PMUVer", 8, pmu_version::kV3p5, Order::monitors},
                               {"WRPs", 20, 1},
                               {"DoubleLock", 36, kSignedAbsent, Order::signed_}};
constexpr Field kAa64isar0[] = {
    {"AES", 4, 2},  {"SHA1", 8, 1},  {"SHA2", 12, 2}, {"CRC32", 16, 1}, {"Atomic", 20, 2},
    {"RDM", 28, 1}, {"SHA3", 32, 1}, {"SM3", 36, 1},  {"SM4", 40, 1},   {"DP", 44, 1},
    {"FHM", 48, 1}, {"TS", 52, 2},   {"TLB", 56, 2},  {"RNDR", 60, 1},
};
constexpr Field kAa64isar1[] = {
    {"DPB", 0, 2}, {"JSCVT", 12, 1},   {"FCMA", 16, 1}, {"LRCPC", 20, 2}, {"FRINTTS", 32, 1},
    {"SB", 36, 1}, {"SPECRES", 40, 1}, {"BF16", 44, 1}, {"DGH", 48, 1},   {"I8MM", 52, 1},
};
constexpr Field kAa64isar2[] = {{"WFxT", 0, 2}, {"BC", 20, 1}, {"CLRBHB", 28, 1}};
constexpr Field kAa64mmfr0[] = {
    {"PARange", 0, 5}, // 48 bits
    {"ASIDBits", 4, 2}, {"TGran16", 20, 1}, {"TGran64", 24, 0, Order::signed_}, {"TGran4", 28, 0, Order::signed_},
};
constexpr Field kAa64mmfr1[] = {{"HAFDBS", 0, 2}, {"HPDS", 12, 2}, {"PAN", 20, 3}, {"ETS", 36, 2}, {"ECBHB", 60, 1}};
constexpr Field kAa64mmfr2[] = {
    {"CnP", 0, 1}, {"UAO", 4, 1}, {"LSM", 8, 1},  {"VARange", 16, 1}, {"CCIDX", 20, 1},
    {"ST", 28, 1}, {"AT", 32, 1}, {"TTL", 48, 1}, {"BBM", 52, 2},     {"E0PD", 60, 1},
};

// AArch32, for programs at EL0.
constexpr Field kPfr0[] = {{"State0", 0, kAny},  {"State1", 4, kAny}, {"State2", 8, kAny},
                           {"State3", 12, kAny}, {"CSV2", 16, 1},     {"DIT", 24, 1}};
constexpr Field kPfr1[] = {{"ProgMod", 0, 1}, {"GenTimer", 16, 1}, {"GIC", 28, 1, Order::gic_system}};
constexpr Field kPfr2[] = {{"CSV3", 0, 1}, {"SSBS", 4, 1}};
constexpr Field kDfr0[] = {{"CopDbg", 0, 6}, {"PerfMon", 24, pmu_version::kV3p5, Order::monitors}};
constexpr Field kMmfr0[] = {{"VMSA", 0, kAny}, {"OuterShr", 8, kAny}, {"ShareLvl", 12, kAny}, {"InnerShr", 28, kAny}};
constexpr Field kMmfr1[] = {{"BPred", 28, kAny}};
constexpr Field kMmfr2[] = {{"UniTLB", 16, kAny}, {"MemBarr", 20, kAny}, {"WFIStall", 24, kAny}};
constexpr Field kMmfr3[] = {{"CMaintVA", 0, kAny},   {"CMaintSW", 4, kAny}, {"BPMaint", 8, kAny},
                            {"MaintBcst", 12, kAny}, {"PAN", 16, 2},        {"CohWalk", 20, kAny},
                            {"Supersec", 28, kAny}};
constexpr Field kMmfr4[] = {{"AC2", 4, 1}, {"CnP", 12, 1}, {"HPDS", 16, 2}, {"LSM", 20, 1}, {"CCIDX", 24, 1}};
constexpr Field kIsar5[] = {{"SEVL", 0, 1},   {"AES", 4, 2},  {"SHA1", 8, 1}, {"SHA2", 12, 1},
                            {"CRC32", 16, 1}, {"RDM", 24, 1}, {"VCMA", 28, 1}};
constexpr Field kIsar6[] = {{"JSCVT", 0, 1},    {"DP", 4, 1},    {"FHM", 8, 1},  {"SB", 12, 1},
                            {"SPECRES", 16, 1}, {"BF16", 20, 1}, {"I8MM", 24, 1}};
/// The instruction set and floating-point registers of AArch32, which have nothing to hide.
constexpr Field kEveryField[] = {{"", 0, kAny},  {"", 4, kAny},  {"", 8, kAny},  {"", 12, kAny},
                                 {"", 16, kAny}, {"", 20, kAny}, {"", 24, kAny}, {"", 28, kAny}};

struct Row {
    u32 id;
    std::span<const Field> fields;
};
constexpr Row kRows[] = {
    {sysreg::kIdAa64pfr0El1, kAa64pfr0},   {sysreg::kIdAa64pfr1El1, kAa64pfr1},   {sysreg::kIdAa64dfr0El1, kAa64dfr0},
    {sysreg::kIdAa64isar0El1, kAa64isar0}, {sysreg::kIdAa64isar1El1, kAa64isar1}, {sysreg::kIdAa64isar2El1, kAa64isar2},
    {sysreg::kIdAa64mmfr0El1, kAa64mmfr0}, {sysreg::kIdAa64mmfr1El1, kAa64mmfr1}, {sysreg::kIdAa64mmfr2El1, kAa64mmfr2},
    {sysreg::kIdPfr0El1, kPfr0},           {sysreg::kIdPfr1El1, kPfr1},           {sysreg::kIdPfr2El1, kPfr2},
    {sysreg::kIdDfr0El1, kDfr0},           {sysreg::kIdMmfr0El1, kMmfr0},         {sysreg::kIdMmfr1El1, kMmfr1},
    {sysreg::kIdMmfr2El1, kMmfr2},         {sysreg::kIdMmfr3El1, kMmfr3},         {sysreg::kIdMmfr4El1, kMmfr4},
    {sysreg::kIdIsar0El1, kEveryField},    {sysreg::kIdIsar1El1, kEveryField},    {sysreg::kIdIsar2El1, kEveryField},
    {sysreg::kIdIsar3El1, kEveryField},    {sysreg::kIdIsar4El1, kEveryField},    {sysreg::kIdIsar5El1, kIsar5},
    {sysreg::kIdIsar6El1, kIsar6},         {sysreg::kMvfr0El1, kEveryField},      {sysreg::kMvfr1El1, kEveryField},
    {sysreg::kMvfr2El1, kEveryField},
};

constexpr bool rows_are_sound() {
    for (const Row &row : kRows)
        for (const Field &field : row.fields)
            if (!is_id_group3(row.id) || field.shift % 4 != 0 || field.shift > 60 || field.most > 0xf)
                return false;
    for (usize i = 0; i < std::size(kRows); ++i)
        for (usize j = 0; j < i; ++j)
            if (kRows[i].id == kRows[j].id)
                return false;
    return true;
}
static_assert(rows_are_sound());

/// Four signed bits in their order, from -8 on.
constexpr unsigned in_order(u8 nibble) { return nibble ^ 8U; }

u8 guest_field(const Field &field, u8 host, GicVersion gic, GuestPmu pmu) {
    switch (field.order) {
    case Order::ascending: return std::min(host, field.most);
    case Order::signed_: return in_order(host) < in_order(field.most) ? host : field.most;
    case Order::gic_system: return gic == GicVersion::v3 ? field.most : 0;
    case Order::monitors:
        return pmu == GuestPmu::shown && host != pmu_version::kOther ? std::min(host, field.most) : pmu_version::kNone;
    }
    return 0;
}

} // namespace

u64 guest_id_register(u32 id, u64 host_value, GicVersion gic, GuestPmu pmu) {
    const auto *row = std::ranges::find(kRows, id, &Row::id);
    if (row == std::end(kRows))
        return 0;
    u64 value = 0;
    for (const Field &field : row->fields)
        value |= u64{guest_field(field, static_cast<u8>(host_value >> field.shift & 0xf), gic, pmu)} << field.shift;
    return value;
}

} // namespace sel4vm::aarch64
