// SPDX-License-Identifier: BSD-2-Clause
//
// The contents of a gzip'd file (RFC 1952, one member) as a file that is read forwards. Going back unpacks again from the
// start. The contents' CRC is checked when the last byte has been read in one go from the first.
#pragma once

#include <sel4vmmplatsupport/host_hooks.hpp>
#include <sel4vmmplatsupport/inflate.hpp>

#include <new>
#include <optional>

namespace sel4vm::platsupport {

class GzipImage final : public ImageSource, private ByteInput {
public:
    /// `packed` outlives this.
    explicit GzipImage(ImageSource &packed) : packed_(packed) {}
    GzipImage(const GzipImage &) = delete;
    GzipImage &operator=(const GzipImage &) = delete;

    [[nodiscard]] static bool is_gzip(std::span<const u8> head) {
        return head.size() >= 18 && head[0] == 0x1f && head[1] == 0x8b && head[2] == 8;
    }
    /// Reads header and trailer; false when they are damaged. Call once, first.
    [[nodiscard]] bool open();

    [[nodiscard]] u64 size_bytes() override { return size_bytes_; }
    [[nodiscard]] bool read(u64 offset, std::span<u8> out) override;

private:
    [[nodiscard]] int next() override;
    void restart();
    [[nodiscard]] bool unpack(std::span<u8> out);

    ImageSource &packed_;
    u64 size_bytes_ = 0;
    u32 wanted_crc_ = 0;
    u64 data_at_ = 0; ///< where the deflate stream begins
    u64 packed_at_ = 0;
    u64 position_ = 0;
    u32 crc_ = 0;
    usize buffered_ = 0;
    usize taken_ = 0;
    std::array<u8, 4096> buffer_;
    std::optional<Inflater> inflater_;
};

} // namespace sel4vm::platsupport
