// SPDX-License-Identifier: BSD-2-Clause
//
// See bundle.hpp and docs/bundle-format.md.
#include <sel4vm/boot/bundle.hpp>

#include <sel4vm/base/bits.hpp>
#include <sel4vm/boot/bytes.hpp>
#include <sel4vm/boot/crc32.hpp>

#include <array>
#include <cstring>

namespace sel4vm::boot {
namespace {

constexpr std::array<u8, 8> kMagic = {'s', '4', 'v', 'm', 'b', 'n', 'd', 'l'};

// Offsets in the header.
constexpr usize kVersionAt = 8;
constexpr usize kBlobCountAt = 12;
constexpr usize kTotalAt = 16;
constexpr usize kManifestOffsetAt = 24;
constexpr usize kManifestSizeAt = 32;
constexpr usize kManifestCrcAt = 40;
constexpr usize kHeaderCrcAt = 44; // over the header with these four bytes zero
constexpr usize kTableAt = 64;
constexpr usize kEntryBytes = 24;
constexpr usize kEntryOffset = 0;
constexpr usize kEntrySize = 8;
constexpr usize kEntryCrc = 16;
static_assert(kTableAt + kMaxBlobs * kEntryBytes <= kBundleHeaderBytes);

constexpr usize entry_at(u32 index) { return kTableAt + usize{index} * kEntryBytes; }

u32 header_crc(std::span<const u8> header) {
    constexpr std::array<u8, 4> kNoCrc{};
    u32 crc = crc32(header.first(kHeaderCrcAt));
    crc = crc32(kNoCrc, crc);
    return crc32(header.subspan(kHeaderCrcAt + 4, kBundleHeaderBytes - kHeaderCrcAt - 4), crc);
}

bool all_zero(std::span<const u8> bytes) {
    for (const u8 byte : bytes)
        if (byte != 0)
            return false;
    return true;
}

/// Where the next part begins after one of `size` bytes at `offset`.
std::optional<u64> next_page(u64 offset, u64 size) {
    const auto end = checked_add(offset, size);
    return end ? align_up(*end, kPageBytes) : std::nullopt;
}

/// Puts `part`, then zeros up to the next page.
bool put_padded(BundleSink &sink, std::span<const u8> part) {
    static constexpr std::array<u8, 64> kZeros{};
    if (!part.empty() && !sink.put(part))
        return false;
    u64 left = (kPageBytes - part.size() % kPageBytes) % kPageBytes;
    while (left > 0) {
        const u64 step = left < kZeros.size() ? left : kZeros.size();
        if (!sink.put(std::span<const u8>(kZeros).first(step)))
            return false;
        left -= step;
    }
    return true;
}

} // namespace

std::string_view to_string(BundleErrorKind kind) {
    switch (kind) {
    case BundleErrorKind::too_short: return "shorter than its header says";
    case BundleErrorKind::bad_magic: return "not a bundle";
    case BundleErrorKind::bad_version: return "made by another version of the tool";
    case BundleErrorKind::bad_header: return "damaged header";
    case BundleErrorKind::bad_table: return "inconsistent table of contents";
    case BundleErrorKind::bad_manifest: return "damaged manifest";
    case BundleErrorKind::bad_blob: return "damaged blob";
    case BundleErrorKind::too_many: return "too many blobs";
    case BundleErrorKind::no_such_blob: return "no such blob";
    case BundleErrorKind::sink_failed: return "could not be written";
    }
    return "unknown error";
}

std::optional<u64> Bundle::probe_size(std::span<const u8> bytes) {
    if (bytes.size() < kBundleHeaderBytes || std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0)
        return std::nullopt;
    return load_le<u64>(bytes, kTotalAt);
}

Result<Bundle, BundleError> Bundle::open(std::span<const u8> bytes) {
    using enum BundleErrorKind;
    if (bytes.size() < kMagic.size())
        return Err{BundleError{too_short, bytes.size(), kBundleHeaderBytes}};
    if (std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0)
        return Err{BundleError{bad_magic}};
    if (bytes.size() < kBundleHeaderBytes)
        return Err{BundleError{too_short, bytes.size(), kBundleHeaderBytes}};
    // The version comes before the header's CRC, which another version may compute differently.
    if (const u32 version = load_le<u32>(bytes, kVersionAt); version != kBundleVersion)
        return Err{BundleError{bad_version, version, kBundleVersion}};
    if (const u32 crc = header_crc(bytes), stated = load_le<u32>(bytes, kHeaderCrcAt); crc != stated)
        return Err{BundleError{bad_header, crc, stated}};
    const u64 total = load_le<u64>(bytes, kTotalAt);
    if (total > bytes.size())
        return Err{BundleError{too_short, bytes.size(), total}};
    if (total < kBundleHeaderBytes || !is_aligned(total, kPageBytes))
        return Err{BundleError{bad_table, total, kBundleHeaderBytes}};
    const u32 count = load_le<u32>(bytes, kBlobCountAt);
    if (count > kMaxBlobs)
        return Err{BundleError{bad_table, count, kMaxBlobs}};
    if (!all_zero(bytes.subspan(kHeaderCrcAt + 4, kTableAt - kHeaderCrcAt - 4)) ||
        !all_zero(bytes.subspan(entry_at(count), kBundleHeaderBytes - entry_at(count))))
        return Err{BundleError{bad_header}};

    // Parts follow one another in order, so no two can overlap: each begins where the one before it ended.
    u64 expected = kBundleHeaderBytes;
    const u64 manifest_offset = load_le<u64>(bytes, kManifestOffsetAt);
    const u64 manifest_size = load_le<u64>(bytes, kManifestSizeAt);
    if (manifest_offset != expected)
        return Err{BundleError{bad_table, manifest_offset, expected}};
    if (!fits(total, manifest_offset, manifest_size))
        return Err{BundleError{bad_table, manifest_size, total - manifest_offset}};
    expected = next_page(manifest_offset, manifest_size).value_or(total); // no overflow: it fits in `total`
    for (u32 i = 0; i < count; ++i) {
        const u64 offset = load_le<u64>(bytes, entry_at(i) + kEntryOffset);
        const u64 size = load_le<u64>(bytes, entry_at(i) + kEntrySize);
        if (offset != expected)
            return Err{BundleError{bad_table, offset, expected}};
        if (!fits(total, offset, size))
            return Err{BundleError{bad_table, size, offset < total ? total - offset : 0}};
        if (!all_zero(bytes.subspan(entry_at(i) + kEntryCrc + 4, kEntryBytes - kEntryCrc - 4)))
            return Err{BundleError{bad_header}};
        expected = next_page(offset, size).value_or(total);
    }
    if (expected != total)
        return Err{BundleError{bad_table, total, expected}};

    const auto manifest = bytes.subspan(manifest_offset, manifest_size);
    if (const u32 crc = crc32(manifest), stated = load_le<u32>(bytes, kManifestCrcAt); crc != stated)
        return Err{BundleError{bad_manifest, crc, stated}};
    return Bundle(bytes.first(total), manifest, count);
}

Result<std::span<const u8>, BundleError> Bundle::blob(u32 index) const {
    if (index >= blob_count_)
        return Err{BundleError{BundleErrorKind::no_such_blob, index, blob_count_}};
    // Read again rather than remembered: a copy of the table would be 3 KiB. open() proved these numbers.
    const u64 offset = load_le<u64>(bytes_, entry_at(index) + kEntryOffset);
    const u64 size = load_le<u64>(bytes_, entry_at(index) + kEntrySize);
    SEL4VM_ASSERT(fits(bytes_.size(), offset, size));
    return bytes_.subspan(offset, size);
}

Status<BundleError> Bundle::verify_blob(u32 index) const {
    const auto bytes = blob(index);
    if (!bytes)
        return Err{bytes.error()};
    const u32 crc = crc32(*bytes);
    const u32 stated = load_le<u32>(bytes_, entry_at(index) + kEntryCrc);
    if (crc != stated)
        return Err{BundleError{BundleErrorKind::bad_blob, crc, stated}};
    return Ok{};
}

std::optional<u64> bundle_size(std::span<const u8> manifest, std::span<const std::span<const u8>> blobs) {
    if (blobs.size() > kMaxBlobs)
        return std::nullopt;
    auto end = next_page(kBundleHeaderBytes, manifest.size());
    for (const auto &blob : blobs)
        if (end)
            end = next_page(*end, blob.size());
    return end;
}

Status<BundleError> write_bundle(BundleSink &sink, std::span<const u8> manifest,
                                 std::span<const std::span<const u8>> blobs) {
    using enum BundleErrorKind;
    const auto total = bundle_size(manifest, blobs);
    if (!total)
        return Err{BundleError{too_many, blobs.size(), kMaxBlobs}};

    std::array<u8, kBundleHeaderBytes> header{};
    const std::span<u8> out(header);
    std::memcpy(header.data(), kMagic.data(), kMagic.size());
    store_le<u32>(out, kVersionAt, kBundleVersion);
    store_le<u32>(out, kBlobCountAt, static_cast<u32>(blobs.size()));
    store_le<u64>(out, kTotalAt, *total);
    store_le<u64>(out, kManifestOffsetAt, kBundleHeaderBytes);
    store_le<u64>(out, kManifestSizeAt, manifest.size());
    store_le<u32>(out, kManifestCrcAt, crc32(manifest));
    u64 offset = next_page(kBundleHeaderBytes, manifest.size()).value_or(*total);
    for (u32 i = 0; i < blobs.size(); ++i) {
        store_le<u64>(out, entry_at(i) + kEntryOffset, offset);
        store_le<u64>(out, entry_at(i) + kEntrySize, blobs[i].size());
        store_le<u32>(out, entry_at(i) + kEntryCrc, crc32(blobs[i]));
        offset = next_page(offset, blobs[i].size()).value_or(*total);
    }
    store_le<u32>(out, kHeaderCrcAt, header_crc(header));

    if (!put_padded(sink, header) || !put_padded(sink, manifest))
        return Err{BundleError{sink_failed}};
    for (const auto &blob : blobs)
        if (!put_padded(sink, blob))
            return Err{BundleError{sink_failed}};
    return Ok{};
}

} // namespace sel4vm::boot
