// SPDX-License-Identifier: Apache-2.0
// What a static libpq wants of GSSAPI and LDAP, whose libraries have no archives: every call fails.
// Connections say gssencmode=disable, so that none is made but where a server asks for GSSAPI, or a service
// stands in LDAP.
namespace {

constexpr int kGssFailure = 13 << 16;
constexpr int kLdapOther = 80;

}  // namespace

// libpq declares them; here only their names and what they return count.
#define TURBOCI_FAILS(name, status) \
    extern "C" int name() { return status; }
#define TURBOCI_IS_NULL(name) \
    extern "C" void* name() { return nullptr; }
// NOLINTBEGIN(readability-identifier-naming)
TURBOCI_FAILS(gss_acquire_cred, kGssFailure)
TURBOCI_FAILS(gss_delete_sec_context, kGssFailure)
TURBOCI_FAILS(gss_display_status, kGssFailure)
TURBOCI_FAILS(gss_import_name, kGssFailure)
TURBOCI_FAILS(gss_init_sec_context, kGssFailure)
TURBOCI_FAILS(gss_release_buffer, kGssFailure)
TURBOCI_FAILS(gss_release_cred, kGssFailure)
TURBOCI_FAILS(gss_release_name, kGssFailure)
TURBOCI_FAILS(gss_unwrap, kGssFailure)
TURBOCI_FAILS(gss_wrap, kGssFailure)
TURBOCI_FAILS(gss_wrap_size_limit, kGssFailure)
extern "C" void* GSS_C_NT_HOSTBASED_SERVICE;
void* GSS_C_NT_HOSTBASED_SERVICE = nullptr;
TURBOCI_FAILS(ldap_count_entries, kLdapOther)
TURBOCI_FAILS(ldap_msgfree, kLdapOther)
TURBOCI_FAILS(ldap_result, kLdapOther)
TURBOCI_FAILS(ldap_search_st, kLdapOther)
TURBOCI_FAILS(ldap_set_option, kLdapOther)
TURBOCI_FAILS(ldap_simple_bind, kLdapOther)
TURBOCI_FAILS(ldap_unbind, kLdapOther)
TURBOCI_FAILS(ldap_value_free_len, kLdapOther)
TURBOCI_IS_NULL(ldap_err2string)
TURBOCI_IS_NULL(ldap_first_entry)
TURBOCI_IS_NULL(ldap_get_values_len)
TURBOCI_IS_NULL(ldap_init)
// NOLINTEND(readability-identifier-naming)
