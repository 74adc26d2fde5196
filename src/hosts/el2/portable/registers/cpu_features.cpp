// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/registers/cpu_features.hpp>

#include <sel4vm/arch/aarch64/system_registers.hpp>

namespace sel4vm::el2 {

CpuFeatures::CpuFeatures(const CpuIds &ids) {
    for (const FeatureField &row : kFeatureFields) {
        const u8 value = ids.field(row.id, row.shift);
        if (value >= row.least && value <= row.most)
            add(row.feature);
    }
    if (has(CpuFeature::amu) && has(CpuFeature::fgt))
        add(CpuFeature::amu_fgt);
    if (!has(CpuFeature::mpam))
        return;
    const aarch64::MpamidrEl1 mpam{ids.mpamidr};
    if (mpam.get<aarch64::MpamidrEl1::HasHcr>())
        add(CpuFeature::mpam_hcr);
    if (mpam.get<aarch64::MpamidrEl1::HasBwCtrl>())
        add(CpuFeature::mpam_bw);
    if (has(CpuFeature::sme))
        add(CpuFeature::mpam_sme);
}

} // namespace sel4vm::el2
