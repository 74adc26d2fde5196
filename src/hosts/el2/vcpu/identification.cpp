// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/vcpu/identification.hpp>

#include <hosts/el2/lib/sysreg.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>

namespace sel4vm::el2 {

u64 read_id_register(u32 id) {
    switch (id) {
#define SEL4VM_ID(crm, op2)                     \
    case aarch64::sysreg_id(3, 0, 0, crm, op2): \
        return SEL4VM_READ_SYSREG(S3_0_C0_C##crm##_##op2);
#define SEL4VM_IDS(crm) \
    SEL4VM_ID(crm, 0)   \
    SEL4VM_ID(crm, 1)   \
    SEL4VM_ID(crm, 2) SEL4VM_ID(crm, 3) SEL4VM_ID(crm, 4) SEL4VM_ID(crm, 5) SEL4VM_ID(crm, 6) SEL4VM_ID(crm, 7)
        SEL4VM_IDS(1)
        SEL4VM_IDS(2)
        SEL4VM_IDS(3)
        SEL4VM_IDS(4)
        SEL4VM_IDS(5)
        SEL4VM_IDS(6)
        SEL4VM_IDS(7)
#undef SEL4VM_IDS
#undef SEL4VM_ID
    default: return 0;
    }
}

CpuFeatures read_cpu_features() {
    CpuIds ids;
    for (const FeatureField &row : kFeatureFields)
        ids.set(row.id, read_id_register(row.id));
    if (CpuFeatures(ids).has(CpuFeature::mpam))
        ids.mpamidr = SEL4VM_READ_SYSREG(S3_0_C10_C4_4); // MPAMIDR_EL1
    return CpuFeatures(ids);
}

} // namespace sel4vm::el2
