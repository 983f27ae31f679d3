// The steps of a Dockerfile without Docker: its COPY and RUN lines are carried out in a folder for each stage, on the
// files that .dockerignore lets through. What cannot be carried out so is an error, and not passed over.
import dockerignore from '@balena/dockerignore';
import { DockerfileParser } from 'dockerfile-ast';
import { execFileSync } from 'node:child_process';
import { chownSync, cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** What only describes the image, and does nothing when it is built. */
const described = new Set(['LABEL', 'VOLUME', 'EXPOSE', 'STOPSIGNAL']);

/** The files of a folder that are sent to the Docker daemon, by their paths from it. */
export function contextFiles(folder) {
  const rules = dockerignore().add(readFileSync(join(folder, '.dockerignore'), 'utf8'));
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  return rules.filter(files);
}

const inExecForm = (text) => {
  if (!/^\[.*\]$/s.test(text)) throw new Error(`Only the exec form needs no shell: ${text}`);
  return JSON.parse(text);
};

/**
 * Carries out a Dockerfile.
 * @param context the folder with the files it copies
 * @param target an empty folder; each stage gets a folder in it, which stands for its root
 * @returns the last stage: its root, environment (paths as inside), user, entry point, command and health check
 */
export function buildImage({ dockerfile, context, target, log }) {
  const stages = new Map();
  const args = new Map();
  let stage;
  for (const instruction of DockerfileParser.parse(readFileSync(dockerfile, 'utf8')).getInstructions()) {
    const keyword = instruction.getKeyword();
    if (described.has(keyword)) continue;
    log(instruction.getTextContent?.() ?? String(instruction));
    const text = instruction.getRawArgumentsContent() ?? '';
    if (keyword === 'FROM') stage = startStage(stages, text, target);
    else if (keyword === 'ARG') args.set(...text.split('='));
    else if (keyword === 'WORKDIR') makeFolder(stage, text);
    else if (keyword === 'COPY') copy(stage, instruction, context, stages);
    else if (keyword === 'RUN') run(stage, inExecForm(text));
    else if (keyword === 'ENV') setEnvironment(stage, instruction);
    else if (keyword === 'USER') stage.user = text;
    else if (keyword === 'ENTRYPOINT') stage.entrypoint = inExecForm(text);
    else if (keyword === 'CMD') stage.command = inExecForm(text);
    else if (keyword === 'HEALTHCHECK') stage.healthcheck = inExecForm(/CMD (\[.*\])$/s.exec(text)?.[1] ?? text);
    else throw new Error(`scripts/image-build.mjs does not know ${keyword}`);
  }
  return stage;
}

function startStage(stages, text, target) {
  const [image, , name = `${stages.size}`] = text.split(/\s+/);
  const stage = { image, root: join(target, name), workdir: '/', environment: {}, entrypoint: [], command: [] };
  mkdirSync(stage.root);
  stages.set(name, stage);
  return stage;
}

function makeFolder(stage, folder) {
  stage.workdir = folder;
  mkdirSync(join(stage.root, folder), { recursive: true });
}

function setEnvironment(stage, instruction) {
  for (const property of instruction.getProperties()) stage.environment[property.getName()] = property.getValue();
}

function run(stage, [program, ...given]) {
  const cwd = join(stage.root, stage.workdir);
  const env = {
    PATH: process.env.PATH,
    HOME: stage.root,
    npm_config_cache: process.env.npm_config_cache ?? npmCache(),
  };
  execFileSync(program, given, { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] });
}

const npmCache = () => execFileSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8' }).trim();

/** COPY [--from=stage] [--chown=uid:gid] source… target */
function copy(stage, instruction, context, stages) {
  const flags = new Map(instruction.getFlags().map((flag) => [flag.getName(), flag.getValue()]));
  const sources = instruction.getArguments().map((argument) => argument.getValue());
  const last = sources.pop();
  const to = last.startsWith('/') ? join(stage.root, last) : join(stage.root, stage.workdir, last);
  const from = flags.has('from') ? stages.get(flags.get('from')).root : undefined;
  for (const source of sources) {
    const into = last.endsWith('/') && !isFolder(join(from ?? context, source)) ? join(to, basename(source)) : to;
    if (from === undefined) copyFromContext(context, source, into);
    else cpSync(join(from, source), into, { recursive: true, verbatimSymlinks: true });
    if (flags.has('chown') && process.getuid() === 0) own(into, flags.get('chown'));
  }
}

const isFolder = (path) => existsSync(path) && lstatSync(path).isDirectory();

function copyFromContext(context, source, into) {
  const files = contextFiles(context).filter((file) => file === source || file.startsWith(`${source}/`));
  if (files.length === 0) throw new Error(`COPY ${source}: .dockerignore lets nothing of it through`);
  for (const file of files) {
    const target = file === source ? into : join(into, file.slice(source.length + 1));
    mkdirSync(dirname(target), { recursive: true });
    cpSync(join(context, file), target);
  }
}

function own(path, owner) {
  const [uid, gid] = owner.split(':').map(Number);
  chownSync(path, uid, gid);
  if (isFolder(path)) for (const entry of readdirSync(path)) own(join(path, entry), owner);
}
