// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vmmplatsupport/gzip_image.hpp>

#include <sel4vm/boot/bytes.hpp>
#include <sel4vm/boot/crc32.hpp>

#include <algorithm>

namespace sel4vm::platsupport {
namespace {

constexpr u64 kHeaderBytes = 10, kTrailerBytes = 8;
constexpr u8 kFlagHeaderCrc = 2, kFlagExtra = 4, kFlagName = 8, kFlagComment = 16;

} // namespace

void GzipImage::restart() {
    packed_at_ = data_at_;
    buffered_ = taken_ = 0;
    position_ = 0;
    crc_ = 0;
    inflater_.emplace(static_cast<ByteInput &>(*this));
}

bool GzipImage::open() {
    std::array<u8, kHeaderBytes> header;
    std::array<u8, kTrailerBytes> trailer;
    const u64 packed_bytes = packed_.size_bytes();
    if (packed_bytes < kHeaderBytes + kTrailerBytes || !packed_.read(0, header) ||
        !packed_.read(packed_bytes - kTrailerBytes, trailer))
        return false;
    wanted_crc_ = boot::load_le<u32>(trailer, 0);
    size_bytes_ = boot::load_le<u32>(trailer, 4);
    packed_at_ = kHeaderBytes;
    const u8 flags = header[3];
    if ((flags & kFlagExtra) != 0) {
        const int low = next();
        const int high = next();
        if (low < 0 || high < 0)
            return false;
        for (int left = high << 8 | low; left != 0; --left)
            static_cast<void>(next());
    }
    for (const u8 text : {kFlagName, kFlagComment}) {
        if ((flags & text) == 0)
            continue;
        int byte = 0;
        while ((byte = next()) > 0) {
        }
        if (byte < 0)
            return false;
    }
    if ((flags & kFlagHeaderCrc) != 0) {
        static_cast<void>(next());
        static_cast<void>(next());
    }
    data_at_ = packed_at_ - (buffered_ - taken_);
    restart();
    return true;
}

int GzipImage::next() {
    if (taken_ == buffered_) {
        const u64 left = packed_.size_bytes() - packed_at_;
        buffered_ = static_cast<usize>(std::min<u64>(left, buffer_.size()));
        taken_ = 0;
        if (buffered_ == 0)
            return -1;
        if (!packed_.read(packed_at_, std::span<u8>(buffer_).first(buffered_))) {
            buffered_ = 0;
            return -1;
        }
        packed_at_ += buffered_;
    }
    return buffer_[taken_++];
}

bool GzipImage::unpack(std::span<u8> out) {
    if (inflater_->read(out) != out.size())
        return false;
    crc_ = boot::crc32(out, crc_);
    position_ += out.size();
    return position_ != size_bytes_ || crc_ == wanted_crc_;
}

bool GzipImage::read(u64 offset, std::span<u8> out) {
    if (offset > size_bytes_ || out.size() > size_bytes_ - offset)
        return false;
    if (offset < position_)
        restart();
    std::array<u8, 256> skipped;
    while (position_ < offset) {
        const auto step = static_cast<usize>(std::min<u64>(offset - position_, skipped.size()));
        if (!unpack(std::span<u8>(skipped).first(step)))
            return false;
    }
    return unpack(out);
}

} // namespace sel4vm::platsupport
