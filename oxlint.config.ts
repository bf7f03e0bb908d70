import { defineConfig } from 'oxlint';
import { floors, narrow, pure, reserved, siblings } from './lint/floors.ts';

type Pattern = { group: string[]; message: string };
const all = floors.flat();

function ruleFor(folder: string, below: readonly string[], own: Pattern[]) {
  const barred = all.filter((other) => !below.includes(other)).flatMap((other) => [`#${other}`, `#${other}/**`]);
  return {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          ...own,
          ...(pure.includes(folder)
            ? [{ group: ['node:*', '!node:buffer'], message: `${folder}/ has no input or output (floors.ts)` }]
            : []),
          { group: barred, message: `${folder}/ may import only: ${below.join(' ') || 'nothing'} (floors.ts)` },
        ],
        paths: Object.entries(reserved)
          .filter(([, who]) => !who.includes(folder))
          .map(([name, who]) => ({ name, message: `only ${who.join(', ')} may load ${name} (floors.ts)` })),
      },
    ],
  };
}

const overrides = floors.flatMap((floor, level) =>
  floor.flatMap((folder) => {
    const below = narrow[folder] ?? floors.slice(level + 1).flat();
    const out = (escape: string): Pattern => ({ group: [escape], message: 'leave a folder only through #name' });
    return [
      { files: [`src/${folder}/*.ts`], rules: ruleFor(folder, below, [out('../**')]) },
      { files: [`src/${folder}/*/**/*.ts`], rules: ruleFor(folder, below, [out('../../**')]) },
      ...(siblings[folder] ?? []).map((sub) => ({
        files: [`src/${folder}/${sub}/**/*.ts`],
        rules: ruleFor(folder, below, [
          out('../../**'),
          {
            group: (siblings[folder] ?? []).filter((other) => other !== sub).map((other) => `../${other}/**`),
            message: `${folder}/${sub}/ and its siblings do not know each other (floors.ts)`,
          },
        ]),
      })),
    ];
  }),
);

export default defineConfig({
  plugins: ['typescript', 'import', 'node', 'unicorn', 'promise'],
  categories: { correctness: 'error' },
  rules: {
    'import/no-cycle': 'error',
    // the runner of node:test awaits what describe and it return
    'typescript/no-floating-promises': [
      'error',
      { allowForKnownSafeCalls: [{ from: 'package', package: 'node:test', name: ['describe', 'it', 'test'] }] },
    ],
    // whenReady and other callbacks that take a promise's value are how the hot path avoids promises
    'promise/no-callback-in-promise': 'off',
    'promise/always-return': 'off',
    'typescript/no-misused-promises': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-unsafe-type-assertion': 'error',
    'typescript/switch-exhaustiveness-check': 'error',
  },
  overrides,
} as Parameters<typeof defineConfig>[0]);
