/**
 * Makes React components of elements. React renders the attributes, on servers too. The component itself sets what
 * React loses during hydration: properties that no attribute can hold, and the listeners of the element's events.
 */
import {
  createElement,
  forwardRef,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import type { ForwardRefExoticComponent, RefAttributes } from 'react'

/** What a component reads of the class of its element. */
export interface ElementClass {
  readonly tag: string
  /** Lit completes `elementProperties` where this is read first. */
  readonly observedAttributes: readonly string[]
  readonly elementProperties: ReadonlyMap<PropertyKey, { readonly attribute?: boolean | string }>
  define(): void
}

type Props = Readonly<Record<string, unknown>>
type AnyFunction = (...args: readonly unknown[]) => unknown

const HANDLER = /^onMqttStatus(?=[A-Z])/

/** React 18 warns about layout effects where it renders on a server. */
const useCommit = typeof document === 'undefined' ? useEffect : useLayoutEffect

/** The component of an element: its props are the element's properties in camel case, and `onMqttStatus…`. */
export function component(Class: ElementClass): ForwardRefExoticComponent<RefAttributes<unknown>> {
  const names = namesOf(Class)
  let isDefined = false
  const Component = forwardRef<unknown, object>((given, ref) => {
    const props: Props = { ...given }
    const element = useRef<HTMLElement>(null)
    const [bound] = useState(() => new Bound())
    useImperativeHandle(ref, () => element.current, [])
    useCommit(() => {
      // The browser upgrades the elements of a server's page here. They render after this task, with properties and listeners.
      if (!isDefined) Class.define()
      isDefined = true
      if (element.current) bound.apply(element.current, props, names.held)
    })
    return createElement(Class.tag, { ...attributesOf(props, names), ref: element })
  })
  Component.displayName = Class.tag.replace(/(?:^|-)(\w)/g, (_, letter: string) =>
    letter.toUpperCase(),
  )
  return Component
}

/** The names of an element's properties. */
interface Names {
  /** The attribute of each property that has one. */
  readonly attributes: ReadonlyMap<string, string>
  /** Properties that no attribute can hold. */
  readonly held: ReadonlySet<string>
}

function namesOf({ observedAttributes, elementProperties }: ElementClass): Names {
  const attributes = new Map(observedAttributes.map((name) => [name, name]))
  const held = new Set<string>()
  for (const [key, { attribute }] of elementProperties) {
    const name = String(key)
    if (attribute === false) held.add(name)
    else attributes.set(name, typeof attribute === 'string' ? attribute : name.toLowerCase())
  }
  return { attributes, held }
}

function attributesOf(props: Props, { attributes, held }: Names): Record<string, unknown> {
  const entries = Object.entries(props)
    .filter(([name]) => !held.has(name) && !HANDLER.test(name))
    .map(([name, value]) => {
      const attribute = attributes.get(name)
      if (attribute !== undefined) return [attribute, textOf(value)]
      // React 18 gives custom elements an attribute `classname`.
      return [name === 'className' ? 'class' : name, value]
    })
  return Object.fromEntries(entries) as Record<string, unknown>
}

/** React 18 writes `false` as text. */
function textOf(value: unknown): unknown {
  if (typeof value !== 'boolean') return value
  return value ? '' : undefined
}

/** The properties and listeners of one element. */
class Bound implements EventListenerObject {
  #props: Props = {}
  #handlers: ReadonlyMap<string, AnyFunction> = new Map()
  /** The properties that the component has set once. */
  readonly #given = new Set<string>()
  readonly #functions = new Map<string, AnyFunction>()

  apply(element: HTMLElement, props: Props, held: ReadonlySet<string>): void {
    this.#props = props
    this.#handlers = handlersIn(props)
    // A listener that the element has already is not added again.
    for (const type of this.#handlers.keys()) element.addEventListener(type, this)
    for (const name of held) {
      if (props[name] === undefined && !this.#given.has(name)) continue
      this.#given.add(name)
      Reflect.set(element, name, this.#lasting(name))
    }
  }

  handleEvent(event: Event): void {
    this.#handlers.get(event.type)?.(event)
  }

  /** A function in JSX is a new one at each render. The element gets one that lasts, because another `getToken` is another viewer. */
  #lasting(name: string): unknown {
    const value = this.#props[name]
    if (typeof value !== 'function') return value
    const known = this.#functions.get(name)
    if (known) return known
    const lasting: AnyFunction = (...args) => (this.#props[name] as AnyFunction)(...args)
    this.#functions.set(name, lasting)
    return lasting
  }
}

/** The handlers by the types of their events: `onMqttStatusCommandEnd` handles `mqtt-status-command-end`. */
function handlersIn(props: Props): ReadonlyMap<string, AnyFunction> {
  return new Map(
    Object.entries(props).flatMap(([name, value]) =>
      HANDLER.test(name) && typeof value === 'function'
        ? [[typeOf(name), value as AnyFunction]]
        : [],
    ),
  )
}

function typeOf(handler: string): string {
  return handler
    .slice('on'.length)
    .replace(/(?!^)[A-Z]/g, '-$&')
    .toLowerCase()
}
