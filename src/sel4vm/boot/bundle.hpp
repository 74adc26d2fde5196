// SPDX-License-Identifier: BSD-2-Clause
//
// The bundle: what the workstation tool hands to the VMM. A header page with a table of blobs, a manifest (a flattened
// device tree, see machine/manifest.hpp; opaque here) and the blobs, each on a page boundary so that a blob can be mapped.
// All numbers little-endian; docs/bundle-format.md has the layout. The reader trusts no number of the file. The header and
// manifest are always checked by CRC, blobs on request: on the target that would cost more than loading them.
// Deliberately no compression, signature or update in place.
#pragma once

#include <sel4vm/base/result.hpp>
#include <sel4vm/base/types.hpp>

#include <optional>
#include <span>
#include <string_view>

namespace sel4vm::boot {

inline constexpr u32 kBundleVersion = 1;
inline constexpr usize kBundleHeaderBytes = 4096;
inline constexpr usize kMaxBlobs = 128;

enum class BundleErrorKind : u8 {
    too_short,    ///< fewer bytes than a header, or than the header says
    bad_magic,    ///< not a bundle
    bad_version,  ///< of a newer or older tool
    bad_header,   ///< header CRC, or a reserved field that is not zero
    bad_table,    ///< an offset or size outside the file, out of order or misaligned
    bad_manifest, ///< manifest CRC
    bad_blob,     ///< blob CRC
    too_many,     ///< more than kMaxBlobs blobs (writer)
    no_such_blob, ///< an index beyond the table
    sink_failed,  ///< the writer's sink refused
};
[[nodiscard]] std::string_view to_string(BundleErrorKind kind);

struct BundleError {
    BundleErrorKind kind;
    u64 found = 0;    ///< the number that is wrong, where there is one
    u64 expected = 0; ///< the number it should have been (or its limit)
    friend constexpr bool operator==(const BundleError &, const BundleError &) = default;
};

/// A bundle in memory. Refers to the caller's bytes, which must not change meanwhile.
class Bundle {
public:
    /// `bytes` starts with the header and may be longer than the bundle. Checks everything but the blobs' contents.
    [[nodiscard]] static Result<Bundle, BundleError> open(std::span<const u8> bytes);

    /// Whole size from the header, without reading further; for finding the end of an embedded bundle.
    [[nodiscard]] static std::optional<u64> probe_size(std::span<const u8> bytes);

    [[nodiscard]] u64 size_bytes() const { return bytes_.size(); }
    [[nodiscard]] std::span<const u8> manifest() const { return manifest_; }
    [[nodiscard]] u32 blob_count() const { return blob_count_; }
    [[nodiscard]] Result<std::span<const u8>, BundleError> blob(u32 index) const;
    /// Compares the CRC of one blob.
    [[nodiscard]] Status<BundleError> verify_blob(u32 index) const;

private:
    Bundle(std::span<const u8> bytes, std::span<const u8> manifest, u32 blob_count)
        : bytes_(bytes), manifest_(manifest), blob_count_(blob_count) {}
    std::span<const u8> bytes_;
    std::span<const u8> manifest_;
    u32 blob_count_;
};

/// Takes the bytes of a bundle, first to last.
class BundleSink {
public:
    [[nodiscard]] virtual bool put(std::span<const u8> bytes) = 0;

protected:
    ~BundleSink() = default;
};

/// Size of the bundle that write_bundle() would write, or no value when there are too many blobs or it exceeds 64 bits.
[[nodiscard]] std::optional<u64> bundle_size(std::span<const u8> manifest, std::span<const std::span<const u8>> blobs);

/// Writes a bundle: exactly bundle_size() bytes. The same input gives the same bytes.
[[nodiscard]] Status<BundleError> write_bundle(BundleSink &sink, std::span<const u8> manifest,
                                               std::span<const std::span<const u8>> blobs);

} // namespace sel4vm::boot
