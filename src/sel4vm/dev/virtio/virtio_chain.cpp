// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/virtio/virtio_chain.hpp>

#include <algorithm>

namespace sel4vm::dev {

u64 bytes_of(std::span<const DmaRange> parts) {
    u64 total = 0;
    for (const DmaRange &part : parts)
        total += part.size_bytes;
    return total;
}

std::span<DmaRange> without_first(std::span<DmaRange> parts, u64 count) {
    while (count > 0 && !parts.empty()) {
        DmaRange &first = parts.front();
        const u64 here = std::min(count, first.size_bytes);
        first.at = Gpa{first.at.value() + here};
        first.size_bytes -= here;
        count -= here;
        if (first.size_bytes == 0)
            parts = parts.subspan(1);
    }
    return parts;
}

std::span<DmaRange> without_last(std::span<DmaRange> parts, u64 count) {
    while (count > 0 && !parts.empty()) {
        DmaRange &last = parts.back();
        const u64 here = std::min(count, last.size_bytes);
        last.size_bytes -= here;
        count -= here;
        if (last.size_bytes == 0)
            parts = parts.first(parts.size() - 1);
    }
    return parts;
}

Status<DmaError> read_parts(DmaPort &dma, std::span<const DmaRange> parts, std::span<u8> out) {
    for (const DmaRange &part : parts) {
        const usize here = static_cast<usize>(std::min<u64>(part.size_bytes, out.size()));
        SEL4VM_TRY(dma.read(part.at, out.first(here)));
        out = out.subspan(here);
    }
    return Ok{};
}

Status<DmaError> write_parts(DmaPort &dma, std::span<const DmaRange> parts, std::span<const u8> bytes) {
    for (const DmaRange &part : parts) {
        const usize here = static_cast<usize>(std::min<u64>(part.size_bytes, bytes.size()));
        SEL4VM_TRY(dma.write(part.at, bytes.first(here)));
        bytes = bytes.subspan(here);
    }
    return Ok{};
}

} // namespace sel4vm::dev
