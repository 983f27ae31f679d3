/** The names of the client profiles. */
export type ProfileName = 'strict' | 'default' | 'entra-legacy';

/** What a tenant's client may send beyond the RFCs' letter. It widens what is read; what is sent is always RFC-exact. */
export interface Profile {
  readonly name: ProfileName;
  /** "True"/"false" strings stand for booleans. */
  readonly booleanStrings: boolean;
  /** One object or scalar stands for an array of one. */
  readonly singleForArray: boolean;
  /** Unknown attributes and schema URNs in bodies are dropped instead of refused. */
  readonly dropUnknown: boolean;
  /** A body without `schemas` gets those of its endpoint. */
  readonly inferSchemas: boolean;
  /** readOnly keys in a path-less PATCH value are dropped instead of refused. */
  readonly dropReadOnlyInPatch: boolean;
  /** PATCH replace on `attr[a eq "x"].sub` without a match creates the element. */
  readonly createOnReplace: boolean;
  /** "" clears an optional string in PATCH replace. */
  readonly emptyStringClears: boolean;
  /** A bare string stands for a complex value with that `value`. */
  readonly stringForComplex: boolean;
  /** An array of one stands for its element where one value belongs. */
  readonly arrayForSingle: boolean;
  /** A JSON text of an object stands for it among the values of a multi-valued attribute other than members. */
  readonly jsonStringForComplex: boolean;
  /** A reference may name a resource that does not exist yet. */
  readonly danglingReferences: boolean;
  /** A filter may name an extension's attribute without its URN: Microsoft Entra ID asks `manager eq "id"`. */
  readonly unqualifiedExtensions: boolean;
  /** A body without Content-Type is read as SCIM. */
  readonly missingContentType: boolean;
}

const tolerant: Omit<Profile, 'name'> = {
  booleanStrings: true,
  singleForArray: true,
  dropUnknown: true,
  inferSchemas: true,
  dropReadOnlyInPatch: true,
  createOnReplace: true,
  emptyStringClears: true,
  stringForComplex: true,
  arrayForSingle: false,
  jsonStringForComplex: false,
  danglingReferences: true,
  unqualifiedExtensions: true,
  missingContentType: true,
};

const exact: Omit<Profile, 'name'> = {
  booleanStrings: false,
  singleForArray: false,
  dropUnknown: false,
  inferSchemas: false,
  dropReadOnlyInPatch: false,
  createOnReplace: false,
  emptyStringClears: false,
  stringForComplex: false,
  arrayForSingle: false,
  jsonStringForComplex: false,
  danglingReferences: false,
  unqualifiedExtensions: false,
  missingContentType: false,
};

/** The client profiles by name; `default` is what a new tenant gets. */
export const profiles: Readonly<Record<ProfileName, Profile>> = {
  strict: { name: 'strict', ...exact },
  default: { name: 'default', ...tolerant },
  // Old Microsoft clients send a manager as an array of one, and app role assignments as JSON texts.
  'entra-legacy': { name: 'entra-legacy', ...tolerant, arrayForSingle: true, jsonStringForComplex: true },
};
