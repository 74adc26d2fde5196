// SPDX-License-Identifier: BSD-2-Clause
#include <sel4_host/double/physical_memory.hpp>

#include <sel4vm/base/assert.hpp>

#include <iterator>
#include <sys/mman.h>
#include <unistd.h>

namespace sel4vm::sel4_double {

namespace {
constexpr u64 kFileBytes = PhysicalMemory::kRamBytes + PhysicalMemory::kDeviceBytes;
}

PhysicalMemory::PhysicalMemory() : file_(memfd_create("physical", 0)) {
    SEL4VM_ASSERT(file_ >= 0 && ftruncate(file_, static_cast<off_t>(kFileBytes)) == 0);
    void *const whole = mmap(nullptr, kFileBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file_, 0);
    SEL4VM_ASSERT(whole != MAP_FAILED);
    whole_ = static_cast<u8 *>(whole);
}

PhysicalMemory::~PhysicalMemory() {
    munmap(whole_, kFileBytes);
    close(file_);
}

bool PhysicalMemory::overlaps(u64 phys, u64 size_bytes, u64 &end) const {
    auto next = taken_.upper_bound(phys);
    if (next != taken_.begin()) {
        const auto &[start, size] = *std::prev(next);
        if (phys < start + size) {
            end = start + size;
            return true;
        }
    }
    if (next == taken_.end() || next->first >= phys + size_bytes)
        return false;
    end = next->first + next->second;
    return true;
}

std::optional<u64> PhysicalMemory::take(unsigned bits) {
    const u64 size = u64{1} << bits;
    u64 at = kRamBase;
    u64 end = 0;
    while (size <= kRamBytes && at + size <= kRamBase + kRamBytes) {
        if (!overlaps(at, size, end)) {
            taken_[at] = size;
            return at;
        }
        at = (end + size - 1) & ~(size - 1);
    }
    return std::nullopt;
}

bool PhysicalMemory::take_at(u64 phys, unsigned bits) {
    const u64 size = u64{1} << bits;
    u64 end = 0;
    if (phys % size != 0 || overlaps(phys, size, end) || is_ram(phys) != is_ram(phys + size - 1) ||
        (!is_ram(phys) && !(is_device(phys) && is_device(phys + size - 1))))
        return false;
    taken_[phys] = size;
    return true;
}

// A hole in the file is zeroes, whoever has it mapped.
void PhysicalMemory::clear(u64 phys, u64 size_bytes) {
    SEL4VM_ASSERT(madvise(bytes(phys), size_bytes, MADV_REMOVE) == 0);
}

} // namespace sel4vm::sel4_double
