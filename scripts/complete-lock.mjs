// Adds lock entries for optional platform packages that the registry in use did not deliver: without them `npm ci` fails with
// "Missing: X@ from lock file". An entry is what npm itself would write, less the integrity. Idempotent; run after `npm install`.
import { readFileSync, writeFileSync } from "node:fs";

const OS = /(android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32|windows|aix)/;
const CPU = /(arm64|arm|x64|ia32|ppc64|riscv64|s390x|loong64|mips64el|wasm32)/;
const file = "package-lock.json";
const lock = JSON.parse(readFileSync(file, "utf8"));
let added = 0;
for (const owner of Object.values({ ...lock.packages })) {
	for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
		const key = `node_modules/${name}`;
		if (lock.packages[key] || !/^\d/.test(version)) continue;
		lock.packages[key] = {
			version,
			cpu: [CPU.exec(name)?.[1] ?? "none"],
			...(owner.dev ? { dev: true } : {}),
			...(name.includes("musl") ? { libc: ["musl"] } : {}),
			optional: true,
			os: [OS.exec(name)?.[1] ?? "none"],
		};
		added++;
	}
}
lock.packages = Object.fromEntries(
	Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)),
);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} entries added`);
