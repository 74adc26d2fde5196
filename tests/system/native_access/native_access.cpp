// SPDX-License-Identifier: BSD-2-Clause
//
// A bare-metal program for QEMU: executes loads and stores natively on RAM, emulates the same instructions with the same
// registers through AccessSequence on a copy, and compares all registers and the memory. First every form of the unit
// test's table, then random words that the decoder accepts. Not tested here: faults, other pages, big-endian.
#include <sel4vm/arch/aarch64/access.hpp>

#include <cstring>

using namespace sel4vm;
using namespace sel4vm::aarch64;

/// Known to execute.S.
struct Context {
    u64 x[31];
    u64 sp;
    u64 v[32][2];
    u64 saved[31];
    u64 code;
    u64 faulted;
};
static_assert(offsetof(Context, sp) == 248 && offsetof(Context, v) == 256 && offsetof(Context, saved) == 768);
static_assert(offsetof(Context, code) == 1016 && offsetof(Context, faulted) == 1024);

extern "C" {
void execute(Context *context);
extern const char execute_done[];

void *memcpy(void *to, const void *from, std::size_t bytes) {
    auto *out = static_cast<volatile u8 *>(to);
    const auto *in = static_cast<const u8 *>(from);
    while (bytes-- > 0)
        *out++ = *in++;
    return to;
}
void *memset(void *to, int value, std::size_t bytes) {
    auto *out = static_cast<volatile u8 *>(to);
    while (bytes-- > 0)
        *out++ = static_cast<u8>(value);
    return to;
}
}

namespace {

struct Case {
    const char *text;
    u32 instruction;
    LoadStore expected;
};
const Case kCases[] = {
#include "load_store_cases.inc"
};

constexpr u64 kAreaBytes = 3 * kPageBytes; ///< the code, then two pages of data
constexpr unsigned kRoundsOfTable = 8;
constexpr unsigned kRandomWords = 60'000;
alignas(kPageBytes) u8 native_area[kAreaBytes];
alignas(kPageBytes) u8 emulated_area[kAreaBytes];

struct Counts {
    u64 compared, faulted, different;
} counts;

void put(char c) { *reinterpret_cast<volatile u32 *>(0x0900'0000) = static_cast<u8>(c); }
void print(const char *text) {
    while (*text != '\0')
        put(*text++);
}
void print_hex(u64 value, int digits) {
    while (digits-- > 0)
        put("0123456789abcdef"[value >> 4 * digits & 15]);
}
void print_number(u64 value) {
    if (value >= 10)
        print_number(value / 10);
    put(static_cast<char>('0' + value % 10));
}

u64 random_state = 88'172'645'463'325'252;
u64 next_random() {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

class Registers final : public RegisterFile {
public:
    explicit Registers(Context &context) : context_(context) {}
    u64 x(unsigned n) override { return context_.x[n]; }
    void set_x(unsigned n, u64 value) override { context_.x[n] = value; }
    u64 sp() override { return context_.sp; }
    void set_sp(u64 value) override { context_.sp = value; }
    u64 pc() override { return context_.code; }
    u64 v(unsigned n, unsigned half) override { return context_.v[n][half]; }
    void set_v(unsigned n, unsigned half, u64 value) override { context_.v[n][half] = value; }

private:
    Context &context_;
};

class Translator final : public AddressTranslator {
public:
    std::optional<Gpa> translate(GuestVirt at, MemoryAccess) override { return Gpa{at.value()}; }
};

u64 address_of(const void *pointer) { return reinterpret_cast<u64>(pointer); }

void different(u32 instruction, const char *what) {
    if (++counts.different > 20)
        return;
    print("different ");
    print(what);
    print(" after ");
    print_hex(instruction, 8);
    print("\n");
}

Context random_context() {
    Context context{};
    for (u64 &value : context.x)
        value = next_random() % 3 == 0 ? next_random() & 0xff : next_random();
    for (auto &vector : context.v)
        vector[0] = next_random(), vector[1] = next_random();
    context.sp = next_random();
    context.code = address_of(native_area);
    return context;
}

/// Where the access goes: any alignment where that is allowed, often near the end of the first data page.
u64 choose_target(const LoadStore &op) {
    const u64 end_of_page = kPageBytes - 80 + next_random() % 80;
    u64 target =
        address_of(native_area) + kPageBytes + (next_random() % 4 == 0 ? end_of_page : next_random() % kPageBytes);
    const bool aligned = op.ordered || op.kind == LoadStoreKind::exclusive || op.kind == LoadStoreKind::atomic ||
                         op.kind == LoadStoreKind::compare_and_swap;
    if (aligned)
        target &= ~u64{15};
    return target;
}

/// Makes the base (and offset) register lead to the target. False when no value of them can.
bool aim(const LoadStore &op, u64 target, Context &context) {
    if (op.kind == LoadStoreKind::no_access || op.mode == AddressMode::literal)
        return true;
    if (op.kind == LoadStoreKind::zero_block) {
        if (op.rt == 31)
            return false;
        context.x[op.rt] = target;
        return true;
    }
    u64 base = target;
    if (op.extend != Extend::none) {
        if (op.rm == op.rn)
            return false;
        i64 offset = static_cast<i64>(next_random() % 128) - (op.extend == Extend::uxtw ? 0 : 64);
        if (op.rm == 31)
            offset = 0;
        else if (op.extend == Extend::lsl || op.extend == Extend::sxtx)
            context.x[op.rm] = static_cast<u64>(offset);
        else
            context.x[op.rm] = next_random() << 32 | static_cast<u32>(offset);
        if (op.mode == AddressMode::offset)
            base -= static_cast<u64>(offset) << op.shift;
    } else if (op.mode != AddressMode::post_index) {
        base -= static_cast<u64>(op.offset);
    }
    (op.rn == 31 ? context.sp : context.x[op.rn]) = base;
    return true;
}

/// Half of all compare and swap instructions shall succeed.
void expect_what_is_there(const LoadStore &op, u64 target, Context &context) {
    if (op.kind != LoadStoreKind::compare_and_swap || next_random() % 2 == 0)
        return;
    for (unsigned i = 0; i < op.element_count; ++i) {
        u64 value = 0;
        std::memcpy(&value, native_area + (target - address_of(native_area)) + i * op.element_bytes, op.element_bytes);
        const unsigned reg = op.rs + i;
        if (reg < 31 && reg != op.rn)
            context.x[reg] = value;
    }
}

void write_code(u32 instruction) {
    const u64 distance = address_of(execute_done) - (address_of(native_area) + 4);
    const u32 code[2] = {instruction, 0x1400'0000 | (static_cast<u32>(distance >> 2) & 0x03ff'ffff)};
    std::memcpy(native_area, code, sizeof code);
    asm volatile("dsb sy\n ic iallu\n dsb sy\n isb" ::: "memory");
}

bool emulate(u32 instruction, u64 target, Context &context) {
    u64 dczid = 0;
    asm("mrs %0, dczid_el0" : "=r"(dczid));
    AccessSequence sequence;
    Registers registers(context);
    Translator translator;
    const AccessRequest request{.instruction = instruction,
                                .fault_address = GuestVirt{target},
                                .fault_gpa = Gpa{target},
                                .zva_bytes = 4U << (dczid & 15),
                                .exclusives = ExclusivePolicy::emulate};
    AccessStep step = sequence.start(request, registers, translator);
    while (step == AccessStep::access) {
        const MemoryExit exit = sequence.exit();
        const u64 offset = exit.gpa.value() - address_of(native_area);
        if (offset > kAreaBytes - 8)
            return false;
        u64 data = exit.data;
        if (exit.access == MemoryAccess::read)
            std::memcpy(&data, emulated_area + offset, bytes_of(exit.width));
        else
            std::memcpy(emulated_area + offset, &data, bytes_of(exit.width));
        step = sequence.next(data, translator);
    }
    if (step == AccessStep::done)
        sequence.commit(registers);
    return step == AccessStep::done;
}

bool same_registers(const Context &a, const Context &b) {
    bool same = a.sp == b.sp;
    for (unsigned i = 0; i < 31; ++i)
        same = same && a.x[i] == b.x[i];
    for (unsigned i = 0; i < 32; ++i)
        same = same && a.v[i][0] == b.v[i][0] && a.v[i][1] == b.v[i][1];
    return same;
}

bool same_memory() {
    for (u64 i = 0; i < kAreaBytes; ++i)
        if (native_area[i] != emulated_area[i])
            return false;
    return true;
}

void compare(u32 instruction) {
    auto decoded = decode_load_store(instruction);
    if (!decoded)
        return;
    LoadStore op = *decoded;
    Context native = random_context();
    u64 target = choose_target(op);
    if (op.mode == AddressMode::literal) { // the offset that reaches the data
        op.offset = static_cast<i64>(kPageBytes + next_random() % kPageBytes / 4 * 4);
        instruction = (instruction & ~(0x7'ffffU << 5)) | static_cast<u32>(op.offset / 4) << 5;
        target = native.code + static_cast<u64>(op.offset);
    }
    if (!aim(op, target, native))
        return;
    for (u8 &byte : native_area)
        byte = static_cast<u8>(next_random());
    expect_what_is_there(op, target, native);
    write_code(instruction);
    std::memcpy(emulated_area, native_area, kAreaBytes);

    Context emulated = native;
    if (!emulate(instruction, target, emulated))
        return different(instruction, "outcome");
    execute(&native);
    if (native.faulted != 0) {
        ++counts.faulted;
        return;
    }
    ++counts.compared;
    if (!same_registers(native, emulated))
        different(instruction, "registers");
    if (!same_memory())
        different(instruction, "memory");
}

} // namespace

extern "C" void run_all() {
    for (unsigned round = 0; round < kRoundsOfTable; ++round)
        for (const Case &row : kCases)
            compare(row.instruction);
    for (unsigned i = 0; i < kRandomWords; ++i) {
        // Loads and stores have bit 27 set and bit 25 clear; many need register 31 in a field that is otherwise unused.
        u32 instruction = (static_cast<u32>(next_random()) & ~(1U << 25)) | 1U << 27;
        if (i % 3 == 0)
            instruction |= 31U << 10;
        if (i % 5 == 0)
            instruction |= 31U << 16;
        if (i % 7 == 0)
            instruction &= ~(31U << 16);
        compare(instruction);
    }
    print("compared ");
    print_number(counts.compared);
    print(" faulted ");
    print_number(counts.faulted);
    print(" different ");
    print_number(counts.different);
    print("\n");
}

void sel4vm::panic(const char *message, const char *, unsigned line) {
    print("panic: ");
    print(message);
    print(", line ");
    print_number(line);
    print("\n");
    for (;;)
        asm volatile("wfi");
}
