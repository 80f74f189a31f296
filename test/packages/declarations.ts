/** Reads the declarations of installed packages as the editor of their user does. */
import { join } from 'node:path'
import ts from 'typescript'

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  noEmit: true,
  types: ['node'],
}

/** What a program can import from one entry. */
export interface Declared {
  readonly specifier: string
  /** Classes, functions and constants: what exists at run time. */
  readonly values: readonly string[]
  /** Everything that can be imported, with the type that it has. */
  readonly symbols: readonly ts.Symbol[]
}

export class Declarations {
  readonly entries: readonly Declared[]
  readonly #checker: ts.TypeChecker

  /** @param folder of a project that the packages are installed in */
  constructor(folder: string, specifiers: readonly string[]) {
    const file = join(folder, 'declarations.ts')
    const text = specifiers.map((one, at) => `export * as entry${at} from '${one}'`).join('\n')
    const program = ts.createProgram([file], OPTIONS, hostWith(file, text))
    this.#checker = program.getTypeChecker()
    const statements = program.getSourceFile(file)?.statements ?? []
    this.entries = specifiers.map((specifier, at) => {
      const statement = statements[at]
      const from =
        statement && ts.isExportDeclaration(statement) ? statement.moduleSpecifier : undefined
      const module = from && this.#checker.getSymbolAtLocation(from)
      if (!module) throw new Error(`${specifier} has no declarations`)
      const symbols = this.#checker
        .getExportsOfModule(module)
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      const isValue = (symbol: ts.Symbol): boolean =>
        !isTypeOnly(symbol) && (this.#target(symbol).flags & ts.SymbolFlags.Value) !== 0
      return { specifier, symbols, values: symbols.filter(isValue).map(({ name }) => name) }
    })
  }

  /**
   * Names of our types that what the entry exports mentions, and that can't be imported from the entry.
   *
   * @param others entries that a user of this one imports from as well
   */
  unnamed({ symbols }: Declared, others: readonly Declared[] = []): readonly string[] {
    const own = symbols.map((symbol) => this.#target(symbol))
    const foreign = others.flatMap((other) => other.symbols.map((symbol) => this.#target(symbol)))
    const exported = new Set([...own, ...foreign])
    const found = new Set<string>()
    const seen = new Set<ts.Symbol>()
    const look = (symbol: ts.Symbol): void => {
      if (seen.has(symbol)) return
      seen.add(symbol)
      for (const declaration of symbol.declarations ?? []) visit(declaration)
    }
    const visit = (node: ts.Node): void => {
      if (isHidden(node)) return
      if (ts.isExpressionWithTypeArguments(node)) {
        // What is inherited can be used, but the base need not be named.
        const base = this.#checker.getSymbolAtLocation(node.expression)
        if (base && isOurs(this.#target(base))) look(this.#target(base))
        node.typeArguments?.forEach(visit)
        return
      }
      const name = ts.isTypeReferenceNode(node) ? node.typeName : null
      const mentioned = name && this.#checker.getSymbolAtLocation(name)
      const target = mentioned && this.#target(mentioned)
      if (target && isOurs(target) && !isInternal(target) && !exported.has(target))
        found.add(target.name)
      ts.forEachChild(node, visit)
    }
    for (const symbol of own) if (isOurs(symbol)) look(symbol)
    return [...found].toSorted()
  }

  #target(symbol: ts.Symbol): ts.Symbol {
    return symbol.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol
  }
}

/** `export { type Name }` gives the type of a class, but not the class. */
function isTypeOnly({ declarations = [] }: ts.Symbol): boolean {
  return declarations.some((one) => ts.isExportSpecifier(one) && one.isTypeOnly)
}

/** Not for users: what is private, what only subclasses see, and parameters of a type. */
function isHidden(node: ts.Node): boolean {
  if (!ts.isClassElement(node)) return ts.isTypeParameterDeclaration(node)
  const modifiers = ts.getCombinedModifierFlags(node)
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected
  return (
    (modifiers & hidden) !== 0 ||
    (node.name !== undefined && ts.isPrivateIdentifier(node.name)) ||
    hasInternalTag(node)
  )
}

/** A type that a program never has to name, because an exported one is computed from it. */
function isInternal({ declarations = [] }: ts.Symbol): boolean {
  return declarations.some(hasInternalTag)
}

function hasInternalTag(node: ts.Node): boolean {
  return ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal')
}

function isOurs(symbol: ts.Symbol): boolean {
  const [declaration] = symbol.declarations ?? []
  return (
    declaration !== undefined &&
    !ts.isTypeParameterDeclaration(declaration) &&
    declaration.getSourceFile().fileName.includes('/node_modules/@mqtt-status/')
  )
}

function hostWith(file: string, text: string): ts.CompilerHost {
  const host = ts.createCompilerHost(OPTIONS)
  const { getSourceFile, fileExists } = host
  host.fileExists = (name) => name === file || fileExists(name)
  host.getSourceFile = (name, ...rest) =>
    name === file
      ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true)
      : getSourceFile(name, ...rest)
  return host
}
