// Adds up one run of the conformance suite: `report.mjs FOLDER SCENARIOS TITLE SECONDS STATUS`.
//
// Prints one line with the totals, then every failed check and every warning. The status is 1 if a check failed, if another
// number of scenarios than SCENARIOS left a result, or if nothing was checked: the suite's own status (STATUS) overlooks the
// scenarios it does not score, and those count here. Called by `run.sh`.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const [folder, scenarios, title, seconds, status] = process.argv.slice(2);

const checks = [];
const problems = [];
const runs = existsSync(folder) ? readdirSync(folder).sort() : [];
for (const run of runs) {
  // server-<scenario>-2026-11-21T03-50-07-816Z
  const scenario = run.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, '');
  const file = path.join(folder, run, 'checks.json');
  if (!existsSync(file)) {
    problems.push(`${scenario}: no checks.json`);
    continue;
  }
  checks.push(...JSON.parse(readFileSync(file, 'utf8')).map(check => ({ ...check, scenario })));
}

const of = status => checks.filter(check => check.status === status);
const [passed, failed, warned, skipped] = [of('SUCCESS'), of('FAILURE'), of('WARNING'), of('SKIPPED')];
if (runs.length !== Number(scenarios)) problems.push(`${runs.length} scenarios ran, not ${scenarios}`);
if (passed.length + failed.length === 0) problems.push('nothing was checked');
if (status !== '0' && failed.length === 0) problems.push(`the suite ended with status ${status}`);

const verdict = failed.length + problems.length === 0 ? 'ok  ' : 'FAIL';
console.log(
  `${verdict} ${title}: ${passed.length} passed, ${failed.length} failed, ${warned.length} warnings, ${skipped.length} skipped` +
    ` in ${runs.length} scenarios, ${seconds} s`
);
for (const problem of problems) console.log(`     PROBLEM ${problem}`);
for (const check of [...failed, ...warned]) {
  const message = (check.errorMessage ?? check.description ?? '').replace(/\s+/g, ' ');
  console.log(`     ${check.status === 'FAILURE' ? 'FAILED ' : 'WARNING'} ${check.scenario}: ${check.id}: ${message}`);
}
process.exit(verdict === 'FAIL' ? 1 : 0);
