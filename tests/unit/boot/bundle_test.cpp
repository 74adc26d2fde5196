// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/boot/bundle.hpp>
#include <sel4vm/boot/bytes.hpp>
#include <sel4vm/boot/crc32.hpp>

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace sel4vm::boot {
namespace {

using Bytes = std::vector<u8>;

class VectorSink final : public BundleSink {
public:
    bool put(std::span<const u8> part) override {
        if (bytes.size() + part.size() > limit)
            return false;
        bytes.insert(bytes.end(), part.begin(), part.end());
        return true;
    }
    Bytes bytes;
    usize limit = static_cast<usize>(-1);
};

Bytes filled(usize size, u8 seed) {
    Bytes bytes(size);
    for (usize i = 0; i < size; ++i)
        bytes[i] = static_cast<u8>(seed + i * 7);
    return bytes;
}

Bytes make(const Bytes &manifest, const std::vector<Bytes> &blobs) {
    std::vector<std::span<const u8>> spans(blobs.begin(), blobs.end());
    VectorSink sink;
    EXPECT_TRUE(write_bundle(sink, manifest, spans).has_value());
    EXPECT_EQ(sink.bytes.size(), bundle_size(manifest, spans));
    return sink.bytes;
}

/// Recomputes the header's CRC after a test changed the header, to reach the checks behind it.
void seal(Bytes &bundle) {
    store_le<u32>(bundle, 44, 0);
    store_le<u32>(bundle, 44, crc32(std::span<const u8>(bundle).first(4096)));
}

BundleErrorKind open_error(const Bytes &bundle) {
    const auto opened = Bundle::open(bundle);
    EXPECT_FALSE(opened.has_value());
    return opened ? BundleErrorKind::sink_failed : opened.error().kind;
}

std::span<const u8> text(const char *s) { return {reinterpret_cast<const u8 *>(s), std::strlen(s)}; }

TEST(Crc32, MatchesThePublishedCheckValue) {
    EXPECT_EQ(crc32(text("123456789")), 0xcbf43926u);
    EXPECT_EQ(crc32({}), 0u);
}

TEST(Crc32, ContinuesOverParts) {
    const Bytes all = filled(1000, 3);
    for (const usize cut : {0u, 1u, 7u, 8u, 9u, 500u, 1000u}) {
        const std::span<const u8> whole(all);
        EXPECT_EQ(crc32(whole.subspan(cut), crc32(whole.first(cut))), crc32(all)) << cut;
    }
}

TEST(Bundle, GivesBackWhatWasWritten) {
    const Bytes manifest = filled(100, 1);
    const std::vector<Bytes> blobs = {filled(4096, 2), filled(1, 3), {}, filled(10000, 4)};
    const Bytes bytes = make(manifest, blobs);
    const auto bundle = Bundle::open(bytes);
    ASSERT_TRUE(bundle.has_value());
    EXPECT_TRUE(std::ranges::equal(bundle->manifest(), manifest));
    ASSERT_EQ(bundle->blob_count(), blobs.size());
    for (u32 i = 0; i < blobs.size(); ++i) {
        const auto blob = bundle->blob(i);
        ASSERT_TRUE(blob.has_value());
        EXPECT_TRUE(std::ranges::equal(*blob, blobs[i])) << i;
        EXPECT_EQ((blob->data() - bytes.data()) % 4096, 0) << i;
        EXPECT_TRUE(bundle->verify_blob(i).has_value());
    }
    EXPECT_EQ(bundle->blob(4).error().kind, BundleErrorKind::no_such_blob);
}

TEST(Bundle, PadsEachPartToWholePages) {
    for (const usize size : {usize{1}, usize{63}, usize{64}, usize{4032}, usize{4095}, usize{4096}, usize{4097}}) {
        const Bytes part = filled(size, 9);
        const usize pages = (size + 4095) / 4096;
        Bytes bytes = make(part, {part});
        ASSERT_EQ(bytes.size(), 4096 + 2 * pages * 4096);
        for (usize n = 0; n < 2; ++n) {
            const auto place = std::span<const u8>(bytes).subspan(4096 + n * pages * 4096, pages * 4096);
            EXPECT_TRUE(std::ranges::equal(place.first(size), part)) << size;
            EXPECT_TRUE(std::ranges::all_of(place.subspan(size), [](u8 byte) { return byte == 0; })) << size;
        }
    }
}

TEST(Bundle, MayBeEmpty) {
    const Bytes bytes = make({}, {});
    EXPECT_EQ(bytes.size(), kBundleHeaderBytes);
    const auto bundle = Bundle::open(bytes);
    ASSERT_TRUE(bundle.has_value());
    EXPECT_TRUE(bundle->manifest().empty());
    EXPECT_EQ(bundle->blob_count(), 0u);
    for (const u32 index : {0u, 1u, ~0u}) {
        const BundleError none{BundleErrorKind::no_such_blob, index, 0};
        EXPECT_EQ(bundle->blob(index).error(), none);
        EXPECT_EQ(bundle->verify_blob(index).error(), none);
    }
}

TEST(Bundle, MayBeFollowedByOtherBytes) {
    Bytes bytes = make(filled(5000, 1), {filled(3, 2)});
    const usize size = bytes.size();
    bytes.resize(size + 777, 0xff);
    const auto bundle = Bundle::open(bytes);
    ASSERT_TRUE(bundle.has_value());
    EXPECT_EQ(bundle->size_bytes(), size);
    EXPECT_EQ(Bundle::probe_size(bytes), size);
}

TEST(Bundle, RefusesEveryTruncation) {
    const Bytes whole = make(filled(100, 1), {filled(5000, 2)});
    for (usize size = 0; size < whole.size(); size += 97) {
        const auto opened = Bundle::open(std::span<const u8>(whole).first(size));
        ASSERT_FALSE(opened.has_value()) << size;
        EXPECT_EQ(opened.error().kind, BundleErrorKind::too_short) << size;
    }
}

TEST(Bundle, RefusesEveryDamagedHeaderOrManifestByte) {
    const Bytes whole = make(filled(100, 1), {filled(5000, 2)});
    for (usize i = 0; i < 4096 + 100; ++i) {
        Bytes damaged = whole;
        damaged[i] ^= 0x10;
        EXPECT_FALSE(Bundle::open(damaged).has_value()) << i;
    }
}

TEST(Bundle, FindsADamagedBlob) {
    Bytes bytes = make(filled(100, 1), {filled(5000, 2), filled(20, 3)});
    bytes[2 * 4096 + 10] ^= 1;
    const auto bundle = Bundle::open(bytes);
    ASSERT_TRUE(bundle.has_value());
    EXPECT_EQ(bundle->verify_blob(0).error().kind, BundleErrorKind::bad_blob);
    EXPECT_TRUE(bundle->verify_blob(1).has_value());
}

TEST(Bundle, SaysThatAnotherVersionMadeIt) {
    Bytes bytes = make(filled(100, 1), {});
    store_le<u32>(bytes, 8, 2); // not sealed: another version may compute the CRC otherwise
    const auto opened = Bundle::open(bytes);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error(), (BundleError{BundleErrorKind::bad_version, 2, kBundleVersion}));
}

TEST(Bundle, RefusesSizesAndOffsetsThatWrapOrLeaveTheFile) {
    const Bytes whole = make(filled(100, 1), {filled(5000, 2), filled(20, 3)});
    const u64 nasty[] = {0, 1, 4095, 4097, whole.size(), whole.size() + 4096, ~u64{0}, ~u64{0} - 4095, u64{1} << 63};
    for (const usize at : {usize{16}, usize{24}, usize{64}, usize{88}}) // total, manifest offset, blob offsets
        for (const u64 value : nasty) {
            Bytes bytes = whole;
            if (load_le<u64>(bytes, at) == value)
                continue;
            store_le<u64>(bytes, at, value);
            seal(bytes);
            EXPECT_FALSE(Bundle::open(bytes).has_value()) << at << ' ' << value;
        }
    for (const usize at : {usize{32}, usize{72}, usize{96}}) // sizes: those that still end on the same page are fine
        for (const u64 value : {u64{4097}, whole.size() + 1, ~u64{0}, ~u64{0} - 4095, u64{1} << 63}) {
            Bytes bytes = whole;
            store_le<u64>(bytes, at, value);
            seal(bytes);
            if (const auto opened = Bundle::open(bytes)) {
                EXPECT_EQ(at, 72u); // the one part that has two pages
                EXPECT_EQ(opened->blob(0)->size(), 4097u);
            }
        }
}

TEST(Bundle, RefusesAManifestThatIsLongerThanTheFile) {
    // Without blobs nothing but the size itself says so.
    const Bytes whole = make(filled(100, 1), {});
    for (const u64 size : {u64{4097}, u64{8192}, u64{1} << 63, ~u64{0} - 4095, ~u64{0}}) {
        Bytes bytes = whole;
        store_le<u64>(bytes, 32, size);
        seal(bytes);
        const auto opened = Bundle::open(bytes);
        ASSERT_FALSE(opened.has_value()) << size;
        EXPECT_EQ(opened.error(), (BundleError{BundleErrorKind::bad_table, size, 4096}));
    }
}

TEST(Bundle, RefusesALastBlobThatIsLongerThanTheFile) {
    const Bytes whole = make(filled(100, 1), {filled(20, 3)});
    for (const u64 size : {u64{4097}, u64{1} << 63, ~u64{0} - 4095, ~u64{0}}) {
        Bytes bytes = whole;
        store_le<u64>(bytes, 72, size);
        seal(bytes);
        const auto opened = Bundle::open(bytes);
        ASSERT_FALSE(opened.has_value()) << size;
        EXPECT_EQ(opened.error(), (BundleError{BundleErrorKind::bad_table, size, 4096}));
    }
}

TEST(Bundle, RefusesMoreBlobsThanTheTableHolds) {
    Bytes bytes = make(filled(100, 1), {});
    for (const u32 count : {u32{kMaxBlobs + 1}, ~u32{0}}) {
        store_le<u32>(bytes, 12, count);
        seal(bytes);
        EXPECT_EQ(open_error(bytes), BundleErrorKind::bad_table);
    }
    const Bytes one(1, 0);
    const std::vector<std::span<const u8>> many(kMaxBlobs + 1, one);
    VectorSink sink;
    const auto written = write_bundle(sink, {}, many);
    ASSERT_FALSE(written.has_value());
    EXPECT_EQ(written.error().kind, BundleErrorKind::too_many);
    EXPECT_TRUE(sink.bytes.empty());
}

TEST(Bundle, RefusesNonZeroReservedBytes) {
    for (const usize at : {usize{48}, usize{63}, usize{64 + 20}, usize{4095}}) {
        Bytes bytes = make(filled(100, 1), {filled(1, 1)});
        bytes[at] = 1;
        seal(bytes);
        EXPECT_EQ(open_error(bytes), BundleErrorKind::bad_header) << at;
    }
}

TEST(Bundle, PassesOnThatTheSinkRefused) {
    const Bytes manifest = filled(100, 1);
    for (const usize limit : {usize{0}, usize{4096}, usize{4150}, usize{8192}}) {
        VectorSink sink;
        sink.limit = limit;
        const Bytes blob = filled(10, 1);
        const std::span<const u8> blobs[] = {blob};
        const auto written = write_bundle(sink, manifest, blobs);
        ASSERT_FALSE(written.has_value()) << limit;
        EXPECT_EQ(written.error().kind, BundleErrorKind::sink_failed);
    }
}

TEST(Bundle, IsNotSomethingElse) {
    EXPECT_EQ(open_error(filled(8192, 5)), BundleErrorKind::bad_magic);
    EXPECT_EQ(Bundle::probe_size(filled(8192, 5)), std::nullopt);
}

} // namespace
} // namespace sel4vm::boot
