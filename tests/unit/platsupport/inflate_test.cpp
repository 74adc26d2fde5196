// SPDX-License-Identifier: BSD-2-Clause
//
// What zlib packs must come out again, and what nobody packed must not do harm.
#include <sel4vmmplatsupport/gzip_image.hpp>

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>
#include <string>
#include <vector>

namespace sel4vm::platsupport {
namespace {

using Bytes = std::vector<u8>;

class MemoryImage final : public ImageSource {
public:
    explicit MemoryImage(Bytes bytes) : bytes_(std::move(bytes)) {}
    [[nodiscard]] u64 size_bytes() override { return bytes_.size(); }
    [[nodiscard]] bool read(u64 offset, std::span<u8> out) override {
        if (offset > bytes_.size() || out.size() > bytes_.size() - offset)
            return false;
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
        return true;
    }
    Bytes bytes_;
};

Bytes gzip(const Bytes &plain, int level, int strategy = Z_DEFAULT_STRATEGY) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, strategy), Z_OK);
    Bytes packed(deflateBound(&stream, plain.size()) + 64);
    stream.next_in = const_cast<u8 *>(plain.data());
    stream.avail_in = static_cast<uInt>(plain.size());
    stream.next_out = packed.data();
    stream.avail_out = static_cast<uInt>(packed.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

Bytes mixed_data(usize size) {
    std::mt19937 random(7);
    Bytes data;
    while (data.size() < size) {
        const usize run = 1 + random() % 4000;
        const bool noise = random() % 3 == 0;
        for (usize i = 0; i < run; ++i)
            data.push_back(noise ? static_cast<u8>(random()) : static_cast<u8>("kernel image "[i % 13]));
        if (data.size() > 40000 && random() % 2 == 0) // a match from far back
            data.insert(data.end(), data.end() - 32000, data.end() - 31000);
    }
    data.resize(size);
    return data;
}

Bytes unpack(GzipImage &image) {
    Bytes out(image.size_bytes());
    usize done = 0;
    for (usize step = 1; done < out.size(); step = step * 3 % 7919 + 1) {
        const usize size = std::min(step, out.size() - done);
        if (!image.read(done, std::span(out).subspan(done, size)))
            return {};
        done += size;
    }
    return out;
}

TEST(GzipImage, GivesBackWhatWasPackedAtEveryLevel) {
    const Bytes plain = mixed_data(300'000);
    for (const int level : {0, 1, 6, 9}) {
        MemoryImage packed(gzip(plain, level));
        GzipImage image(packed);
        ASSERT_TRUE(image.open());
        ASSERT_EQ(image.size_bytes(), plain.size());
        EXPECT_TRUE(unpack(image) == plain) << level;
    }
}

TEST(GzipImage, ReadsFixedCodesAndRunLengths) {
    const Bytes plain = mixed_data(50'000);
    for (const int strategy : {Z_FIXED, Z_RLE, Z_HUFFMAN_ONLY}) {
        MemoryImage packed(gzip(plain, 6, strategy));
        GzipImage image(packed);
        ASSERT_TRUE(image.open());
        EXPECT_TRUE(unpack(image) == plain) << strategy;
    }
}

TEST(GzipImage, GoesBackToTheStart) {
    const Bytes plain = mixed_data(100'000);
    MemoryImage packed(gzip(plain, 6));
    GzipImage image(packed);
    ASSERT_TRUE(image.open());
    Bytes part(1000);
    ASSERT_TRUE(image.read(70'000, part));
    ASSERT_TRUE(image.read(10, part));
    EXPECT_TRUE(std::equal(part.begin(), part.end(), plain.begin() + 10));
    EXPECT_FALSE(image.read(99'500, part)) << "beyond the end";
}

TEST(GzipImage, SkipsANameAndOtherFieldsOfTheHeader) {
    Bytes packed = gzip(mixed_data(1000), 6);
    const std::string name = "Image";
    packed[3] = 8 | 16 | 4 | 2; // name, comment, extra, CRC
    Bytes fields{2, 0, 'x', 'y'};
    for (const char *text : {"Image", "a comment"})
        fields.insert(fields.end(), text, text + std::char_traits<char>::length(text) + 1);
    fields.insert(fields.end(), {0, 0});
    packed.insert(packed.begin() + 10, fields.begin(), fields.end());
    MemoryImage file(packed);
    GzipImage image(file);
    ASSERT_TRUE(image.open());
    EXPECT_TRUE(unpack(image) == mixed_data(1000));
}

TEST(GzipImage, RefusesContentsThatDoNotMatchTheirChecksum) {
    Bytes packed = gzip(mixed_data(5000), 6);
    packed[packed.size() - 8] ^= 1;
    MemoryImage file(packed);
    GzipImage image(file);
    ASSERT_TRUE(image.open());
    Bytes out(5000);
    EXPECT_FALSE(image.read(0, out));
}

TEST(GzipImage, SurvivesDamageAnywhere) {
    const Bytes good = gzip(mixed_data(20'000), 6);
    std::mt19937 random(3);
    for (int round = 0; round < 2000; ++round) {
        Bytes bad = good;
        for (int i = 0; i < 1 + round % 3; ++i)
            bad[random() % bad.size()] = static_cast<u8>(random());
        if (round % 5 == 0)
            bad.resize(18 + random() % (bad.size() - 18));
        MemoryImage file(bad);
        GzipImage image(file);
        if (!image.open() || image.size_bytes() > 1'000'000)
            continue;
        Bytes out(image.size_bytes());
        if (image.read(0, out)) {
            EXPECT_TRUE(out == mixed_data(20'000));
        }
    }
}

} // namespace
} // namespace sel4vm::platsupport
