import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import ts from 'typescript';
import { parseAllDocuments } from 'yaml';
import { findProgram } from './programs.js';

export const kubectl = findProgram('kubectl');

/** A Kubernetes object, as it is sent to the API server. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
}

/** Renders a folder as `kubectl apply --kustomize` does. */
export function kustomize(folder: string): Manifest[] {
  return readManifests(execFileSync(kubectl.path ?? '', ['kustomize', folder], { encoding: 'utf8', stdio: 'pipe' }));
}

/** Reads a stream of YAML documents. @throws for YAML that is not valid, such as a key that is there twice */
export function readManifests(text: string): Manifest[] {
  return parseAllDocuments(text, { strict: true, uniqueKeys: true }).map((document) => {
    for (const error of document.errors) throw error;
    return document.toJS() as Manifest;
  });
}

/** The package with the models that a group of the API has, generated from its OpenAPI document. */
const packageOf = (apiVersion: string): string =>
  apiVersion.startsWith('monitoring.coreos.com/')
    ? `@kubernetes-models/prometheus-operator/${apiVersion}`
    : `kubernetes-models/${apiVersion}`;

const require = createRequire(import.meta.url);

interface Model {
  validate(): void;
}

/**
 * Checks objects strictly against the API: as types, which know every field there is, and as values, whose formats the
 * models check.
 * @returns what is wrong, a line each
 */
export function violations(manifests: readonly Manifest[]): string[] {
  return [...typeErrors(manifests), ...manifests.flatMap(valueErrors)];
}

function valueErrors(manifest: Manifest): string[] {
  const models = require(packageOf(manifest.apiVersion)) as Record<string, new (data: Manifest) => Model>;
  const model = models[manifest.kind];
  if (!model) return [`${manifest.apiVersion} has no ${manifest.kind}`];
  try {
    new model(manifest).validate();
    return [];
  } catch (error) {
    return [`${manifest.kind} ${manifest.metadata.name}: ${(error as Error).message}`];
  }
}

/** Compiles the objects as literals of their types: an unknown field of a literal is an error, and so is a missing one. */
function typeErrors(manifests: readonly Manifest[]): string[] {
  const name = resolve('test/deploy/manifests.generated.ts');
  const sources = manifests.map(
    (manifest, index) =>
      `import type { I${manifest.kind} as Type${index} } from '${packageOf(manifest.apiVersion)}';\n` +
      `export const manifest${index}: Type${index} = ${JSON.stringify(manifest, undefined, 1)};\n`,
  );
  const source = sources.join('');
  const ends = sources.map((_, index) => sources.slice(0, index + 1).join('').length);
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
  };
  const onDisk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...onDisk,
    fileExists: (file) => file === name || onDisk.fileExists(file),
    getSourceFile: (file, ...rest) =>
      file === name ? ts.createSourceFile(file, source, ts.ScriptTarget.ES2023) : onDisk.getSourceFile(file, ...rest),
  };
  const program = ts.createProgram([name], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText, start = 0 }) => {
    const at = manifests[ends.findIndex((end) => start < end)];
    return `${at?.kind} ${at?.metadata.name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
}

/** Maps whose keys are anybody's. */
const freeForm = new Set(['labels', 'annotations', 'data', 'matchLabels', 'limits', 'requests']);

/** Copies of an object, each with an unknown field in another place of it; the copy's name says where. */
export function withUnknownFields(manifest: Manifest): Manifest[] {
  const places: string[][] = [];
  const visit = (value: unknown, path: string[]): void => {
    if (typeof value !== 'object' || value === null) return;
    if (!Array.isArray(value)) places.push(path);
    for (const [key, inner] of Object.entries(value)) if (!freeForm.has(key)) visit(inner, [...path, key]);
  };
  visit(manifest, []);
  return places.map((path) => {
    const copy = structuredClone(manifest) as unknown as Record<string, unknown>;
    const at = path.reduce<Record<string, unknown>>((value, key) => value[key] as Record<string, unknown>, copy);
    at['unknownField'] = 1;
    const named = copy['metadata'] as { name: string };
    named.name = `${path.join('.')}.unknownField`;
    return copy as unknown as Manifest;
  });
}
