// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/virtio/frame_writer.hpp>

#include <algorithm>

namespace sel4vm::dev {

FrameWriter::Result FrameWriter::write(std::span<const u8> before, const NetFrame &frame, Checksum checksum) {
    if (!put(before) || !put(frame.header))
        return Result::bad_target;
    sums_ = checksum == Checksum::complete && frame.checksum_from != 0;
    sum_from_ = frame.checksum_from;
    position_ = kEthernetHeaderBytes;
    for (const DmaRange &part : frame.rest) {
        const auto taken = frame.dma->lend(part.at, part.size_bytes, *this);
        if (!taken)
            return Result::bad_source;
        if (!*taken)
            return Result::bad_target;
    }
    if (sums_ && !put_checksum(before.size() + frame.checksum_from + frame.checksum_at))
        return Result::bad_target;
    return Result::written;
}

bool FrameWriter::take(std::span<const u8> bytes) {
    if (!sums_)
        return put(bytes);
    std::array<u8, 128> copy;
    while (!bytes.empty()) {
        const std::span<u8> here = std::span(copy).first(std::min(copy.size(), bytes.size()));
        std::copy_n(bytes.begin(), here.size(), here.begin());
        add(here);
        if (!put(here))
            return false;
        bytes = bytes.subspan(here.size());
    }
    return true;
}

bool FrameWriter::put(std::span<const u8> bytes) {
    while (!bytes.empty() && part_ < parts_.size()) {
        const DmaRange &part = parts_[part_];
        const usize here = static_cast<usize>(std::min<u64>(part.size_bytes - part_done_, bytes.size()));
        if (here > 0 && !to_.write(Gpa{part.at.value() + part_done_}, bytes.first(here)))
            return false;
        bytes = bytes.subspan(here);
        part_done_ += here;
        if (part_done_ == part.size_bytes) {
            ++part_;
            part_done_ = 0;
        }
    }
    return bytes.empty();
}

// RFC 1071: the sum of words of 16 bits, the first byte of each its high one.
void FrameWriter::add(std::span<const u8> bytes) {
    for (const u8 byte : bytes) {
        if (position_ >= sum_from_)
            sum_ += ((position_ - sum_from_) & 1) != 0 ? u64{byte} : u64{byte} << 8;
        ++position_;
    }
}

bool FrameWriter::put_checksum(u64 at) {
    u64 folded = sum_;
    while (folded > 0xffff)
        folded = (folded & 0xffff) + (folded >> 16);
    folded = ~folded & 0xffff;
    if (folded == 0)
        folded = 0xffff; // the same number; in UDP zero says that there is none
    for (const u8 byte : {static_cast<u8>(folded >> 8), static_cast<u8>(folded)}) {
        u64 rest = at++;
        for (const DmaRange &part : parts_) {
            if (rest < part.size_bytes) {
                if (!to_.write(Gpa{part.at.value() + rest}, std::span(&byte, 1)))
                    return false;
                break;
            }
            rest -= part.size_bytes;
        }
    }
    return true;
}

} // namespace sel4vm::dev
