"""What a shop's own tables say of people: who stands twice, whose number replaced another, who asks for a right."""
