export function AboutPage() {
  return (
    <>
      <h1>About</h1>
      <p>This page has no cards, so it opens no WebSocket.</p>
    </>
  )
}
